import { Call, deadlineExceeded, type Scope } from '../../../platform/call.ts';
import type { Clock } from '../../../platform/clock.ts';
import { OutboxStore, type OutboxDatabase } from './outbox-store.ts';

interface RetentionParts {
  readonly clock: Clock;
  readonly random: () => number;
  /** Those whose events anybody here has had to do with. */
  readonly databases: () => readonly OutboxDatabase[];
  readonly retentionMs: number;
  readonly onDeleted: (pool: string, count: number) => void;
}

const everyMs = 60_000;
/** Each looks at 1,000 events. */
const mostSteps = 200;
const stepTimeoutMs = 10_000;
const alone: Scope = { onClose: () => () => {}, push: () => {} };

/** Deletes events that are old and that nobody needs any more, about once a minute; of several sidecars at a time, one does. */
export class Retention {
  readonly #parts: RetentionParts;
  /** By pool: where it goes on. */
  readonly #places = new Map<string, string>();
  #stop: () => void = () => {};
  #closed = false;

  constructor(parts: RetentionParts) {
    this.#parts = parts;
    this.#wait();
  }

  /** Once through every database. Never rejects: what fails is tried again in a minute. */
  async clean(): Promise<void> {
    for (const database of this.#parts.databases()) {
      await this.#cleanOne(database).catch(() => {});
    }
  }

  close(): void {
    this.#closed = true;
    this.#stop();
  }

  #wait(): void {
    const { clock, random } = this.#parts;
    // Not all sidecars at once.
    this.#stop = clock.after(everyMs * (0.5 + random()), () => {
      void this.clean().finally(() => {
        if (!this.#closed) this.#wait();
      });
    });
  }

  async #cleanOne(database: OutboxDatabase): Promise<void> {
    const { retentionMs, onDeleted } = this.#parts;
    const { name } = database;
    const store = new OutboxStore(database);
    for (let step = 0; step < mostSteps && !this.#closed; step += 1) {
      const after = this.#places.get(name) ?? '0';
      const { deleted, upto } = await this.#inTime((call) => store.clean(after, retentionMs, call));
      onDeleted(name, deleted);
      if (upto === undefined) return void this.#places.delete(name);
      this.#places.set(name, upto);
    }
  }

  async #inTime<T>(work: (call: Call) => Promise<T>): Promise<T> {
    const { clock } = this.#parts;
    const deadlineAtMs = clock.now() + stepTimeoutMs;
    const call = new Call({ scope: alone, deadlineAtMs, priority: 'low' });
    const stop = clock.after(stepTimeoutMs, () => call.end(deadlineExceeded()));
    return work(call).finally(stop);
  }
}

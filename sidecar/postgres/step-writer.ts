import type { Step } from './exchange.ts';
import type { SentStep } from './exchange-answer.ts';
import type { FrontendMessages } from './frontend-messages.ts';
import { PreparedStatements } from './prepared-statements.ts';

const none = Buffer.alloc(0);
const mostPrepared = 256;

/** Writes exchanges, and knows which statements the server has prepared. Belongs to one connection. */
export class StepWriter {
  readonly #out: FrontendMessages;
  readonly #prepared: PreparedStatements;

  constructor(out: FrontendMessages, preparedStatements: boolean) {
    this.#out = out;
    this.#prepared = new PreparedStatements(preparedStatements ? mostPrepared : 0);
  }

  /** Writes the steps of one exchange, up to its Sync. */
  write(steps: readonly Step[]): readonly SentStep[] {
    // Before all steps: after one that fails the server would skip it, and keep the statement for ever.
    for (
      let name = this.#prepared.nextEvicted();
      name !== undefined;
      name = this.#prepared.nextEvicted()
    ) {
      this.#out.closeStatement(name);
    }
    this.#prepared.nextExchange();
    const sent = steps.map((step) => this.#step(step));
    this.#out.sync();
    return sent;
  }

  /** The server skipped what it was to prepare in these steps. */
  skipped(steps: readonly SentStep[]): void {
    for (const { sql, prepared } of steps) {
      if (prepared?.confirmed === false && this.#prepared.get(sql) === prepared) {
        this.#prepared.forget(sql, false);
      }
    }
  }

  /** The next use prepares it anew. */
  forget(sql: string): void {
    this.#prepared.forget(sql, true);
  }

  /** The server has dropped them all. */
  clear(): void {
    this.#prepared.clear();
  }

  #step({ profile, params, stream }: Step): SentStep {
    const { sql } = profile;
    const known = this.#prepared.get(sql);
    const usable = known !== undefined && this.#prepared.canUse(known);
    // One that an earlier exchange is still to prepare may yet fail there: this one does without a name.
    const prepared = known === undefined ? this.#prepared.add(profile) : usable ? known : undefined;
    const name = prepared?.name ?? '';
    if (!usable) this.#out.parse(name, sql);
    this.#out.bind(name, params);
    if (prepared?.columns === undefined) this.#out.describePortal();
    this.#out.execute();
    return { sql, prepared, stream, reads: profile.reads, columns: prepared?.columns ?? none };
  }
}

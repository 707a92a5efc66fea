import { setTimeout as sleep } from 'node:timers/promises';
import {
  connect,
  type Holdfast,
  HoldfastError,
  type Lock,
} from '../../clients/typescript/index.ts';
import type { LockMode } from '../../clients/typescript/wire/lock-messages.ts';
import { machineNowMs, type Recording } from './history.ts';

/** What somebody wants once. */
export interface Wish {
  /** In byte order. */
  readonly names: readonly string[];
  readonly mode: LockMode;
  readonly permits: number;
  readonly ttlMs: number;
  readonly waitMs: number;
  readonly owner: string;
  readonly fence: string;
  /** From the grant to the release; less when it is lost. */
  readonly holdMs: number;
  /** After so long the wait is cancelled. */
  readonly giveUpMs?: number | undefined;
}

interface Parts {
  /** Of the process, as the history has it. */
  readonly client: string;
  readonly sidecar: string;
  readonly address: string;
  readonly record: Recording;
}

let ids = 0;

/** A client that writes down what it sees of locks. */
export class LockClient {
  readonly #parts: Parts;
  #holdfast: Holdfast;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#holdfast = this.#connect();
  }

  get holdfast(): Holdfast {
    return this.#holdfast;
  }

  /** Takes the lock, does `work`, and releases it; resolves whatever becomes of it. */
  async take(wish: Wish, work: (lock: Lock) => Promise<void> = holds(wish)): Promise<void> {
    const { record, client, sidecar } = this.#parts;
    ids += 1;
    const id = `${client}/${process.pid}.${ids}`;
    const { names, mode, permits, ttlMs, waitMs, owner, fence, giveUpMs } = wish;
    const signal = giveUpMs === undefined ? undefined : AbortSignal.timeout(giveUpMs);
    const wanted = { mode, permits: mode === 'semaphore' ? permits : undefined, ttlMs, waitMs };
    const locks = this.#holdfast.locks();
    const asked = { id, client, sidecar, names, mode, permits, ttlMs, owner, fence };
    record({ what: 'asked', atMs: machineNowMs(), ...asked });
    let lock: Lock;
    try {
      lock = await locks.acquire(names, { ...wanted, owner, fence, signal });
    } catch (error) {
      record({ what: 'refused', atMs: machineNowMs(), id, why: reasonOf(error) });
      return;
    }
    const tokens = names.map((name) => `${lock.token(name)}`);
    record({ what: 'granted', atMs: machineNowMs(), id, tokens });
    const onLoss = (): void =>
      record({ what: 'told', atMs: machineNowMs(), id, why: causeOf(lock.signal.reason) });
    if (lock.signal.aborted) onLoss();
    else lock.signal.addEventListener('abort', onLoss, { once: true });
    await work(lock).catch(() => {});
    record({ what: 'releasing', atMs: machineNowMs(), id });
    const why = await lock.release().then(() => '', reasonOf);
    record({ what: 'released', atMs: machineNowMs(), id, why });
  }

  /** As if its process had died; then it is there again. */
  die(): void {
    const { client, record } = this.#parts;
    record({ what: 'killed', atMs: machineNowMs(), process: client, kind: 'client' });
    void this.#holdfast.close({ graceMs: 0 });
    this.#holdfast = this.#connect();
  }

  close(): Promise<void> {
    return this.#holdfast.close({ graceMs: 1_000 });
  }

  #connect(): Holdfast {
    return connect({ address: this.#parts.address, deadlineMs: 10_000 });
  }
}

const holds =
  ({ holdMs }: Wish) =>
  (lock: Lock): Promise<void> =>
    sleep(holdMs, undefined, { signal: lock.signal });

/** Why a call failed, in a word. */
export const reasonOf = (error: unknown): string =>
  error instanceof HoldfastError ? error.reason : String(error);

const causeOf = (error: unknown): string =>
  error instanceof HoldfastError ? (error.metadata['cause'] ?? error.reason) : String(error);

import type { Clock } from '../../platform/clock.ts';
import type { HoldfastError } from '../../platform/errors.ts';
import { ended } from './transaction-errors.ts';

interface TimerParts {
  readonly clock: Clock;
  /** Name of the pool, for errors. */
  readonly pool: string;
  /** Longest life of the transaction. */
  readonly timeoutMs: number;
  /** Longest pause between two pieces of work. */
  readonly idleTimeoutMs: number;
  readonly onPassed: (reason: HoldfastError) => void;
}

/** The two times after which a transaction is rolled back without being asked to. */
export class TransactionTimers {
  readonly #parts: TimerParts;
  readonly #stopLife: () => void;
  #stopIdle: () => void = () => {};

  constructor(parts: TimerParts) {
    const { clock, pool, timeoutMs, onPassed } = parts;
    this.#parts = parts;
    const message = `the transaction took longer than ${timeoutMs} ms and was rolled back`;
    this.#stopLife = clock.after(timeoutMs, () =>
      onPassed(ended(pool, 'TRANSACTION_TIMEOUT', message)),
    );
  }

  /** There is work: the pause is over. */
  busy(): void {
    this.#stopIdle();
  }

  /** There is no work left: a pause begins. */
  idle(): void {
    const { clock, pool, idleTimeoutMs, onPassed } = this.#parts;
    const message = `the transaction was idle for ${idleTimeoutMs} ms and was rolled back`;
    this.#stopIdle = clock.after(idleTimeoutMs, () =>
      onPassed(ended(pool, 'IDLE_IN_TRANSACTION_TIMEOUT', message)),
    );
  }

  stop(): void {
    this.#stopLife();
    this.#stopIdle();
  }
}

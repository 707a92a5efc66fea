import { Call, deadlineExceeded, type Scope } from '../../platform/call.ts';
import type { Clock } from '../../platform/clock.ts';
import type { Connection } from './connection.ts';
import { controlStatement } from './control-statement.ts';
import { Exchange } from './exchange.ts';
import type { Loan } from './pool-loan.ts';

/** Channel on which sidecars hear that there are new events. */
export const outboxChannel = 'holdfast.events';

/** Nothing of it has to survive a crash: whoever missed it looks again soon. */
const notify = controlStatement(
  `SELECT pg_catalog.set_config('synchronous_commit', 'off', true), pg_catalog.pg_notify('${outboxChannel}', '')`,
);
const patienceMs = 1_000;
const mostAnswerBytes = 4_096;
const alone: Scope = { onClose: () => () => {}, push: () => {} };

/**
 * Wakes the subscribers of all sidecars after a commit with events. Not in that transaction: the server has those that notify commit one after the
 * other. One notification is under way at a time; of whatever was committed meanwhile the next one tells.
 */
export class OutboxBell {
  readonly #clock: Clock;
  readonly #lend: (call: Call) => Promise<Loan<Connection>> | Loan<Connection>;
  #used = false;
  #ringing = false;
  #again = false;

  constructor(clock: Clock, lend: (call: Call) => Promise<Loan<Connection>> | Loan<Connection>) {
    this.#clock = clock;
    this.#lend = lend;
  }

  /** Whether anybody here has had to do with events of this database. */
  get isUsed(): boolean {
    return this.#used;
  }

  use(): void {
    this.#used = true;
  }

  /** Never waits, never throws: subscribers look now and then in any case. */
  ring(): void {
    this.use();
    this.#again = true;
    if (!this.#ringing) void this.#ring();
  }

  async #ring(): Promise<void> {
    this.#ringing = true;
    while (this.#again) {
      this.#again = false;
      await this.#notify().catch(() => {});
    }
    this.#ringing = false;
  }

  async #notify(): Promise<void> {
    const deadlineAtMs = this.#clock.now() + patienceMs;
    const call = new Call({ scope: alone, deadlineAtMs });
    const stop = this.#clock.after(patienceMs, () => call.end(deadlineExceeded()));
    try {
      const loan = await this.#lend(call);
      const exchange = new Exchange([notify], mostAnswerBytes);
      loan.connection.submit(exchange);
      await exchange.done;
      loan.giveBack(loan.connection.status !== 'I');
    } finally {
      stop();
    }
  }
}

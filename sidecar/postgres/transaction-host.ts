import type { Call } from '../../platform/call.ts';
import type { Clock } from '../../platform/clock.ts';
import type { CommitOutcome } from './commit-inquiry.ts';
import type { Connection } from './connection.ts';
import type { Exchange, Statement, Step } from './exchange.ts';
import type { Loan } from './pool-loan.ts';
import type { TransactionIdentity } from './server-identity.ts';

/** What a transaction needs of its database. */
export interface TransactionHost {
  readonly name: string;
  readonly clock: Clock;
  readonly maxResultBytes: number;
  borrow(call: Call): Promise<Loan<Connection>>;
  /** A caller's statement as a step, or STATEMENT_REFUSED. */
  step(statement: Statement): Step;
  observe(exchange: Exchange): void;
  /** Events may have been committed. */
  readonly hasEvents: () => void;
  /** What became of a commit without an answer, by its commit_id or the transaction's id. Never rejects. */
  outcome(work: string | TransactionIdentity | undefined, untilMs: number): Promise<CommitOutcome>;
}

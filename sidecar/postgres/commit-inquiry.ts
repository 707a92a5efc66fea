import { Call, deadlineExceeded, type Scope } from '../../platform/call.ts';
import type { Clock } from '../../platform/clock.ts';
import { HoldfastError } from '../../platform/errors.ts';
import { barCommit, commitBarred, markError } from './commit-ids.ts';
import type { Connection } from './connection.ts';
import { controlStatement } from './control-statement.ts';
import { Exchange, type Step } from './exchange.ts';
import { exchangeError, readOnlyTransaction } from './exchange-error.ts';
import type { Loan } from './pool-loan.ts';
import { decodeRows, type DecodedRow } from './result-decoder.ts';
import {
  incarnationSql,
  systemIdentifierSql,
  timelineSql,
  type TransactionIdentity,
} from './server-identity.ts';

/** What became of a commit. */
export type CommitOutcome = 'committed' | 'rolled-back' | 'unknown';

interface InquiryParts {
  /** Name of the pool, for errors. */
  readonly pool: string;
  readonly clock: Clock;
  readonly random: () => number;
  readonly lend: (call: Call) => Promise<Loan<Connection>> | Loan<Connection>;
}

/** How long a server that cannot be asked, or does not know yet, is asked again when the call has no deadline. */
const patienceMs = 30_000;
const firstPauseMs = 10;
const longestPauseMs = 500;
const mostAnswerBytes = 4_096;
const alone: Scope = { onClose: () => () => {}, push: () => {} };

// Only where the transaction was: another history may have given its id to a stranger.
const transactionStatus = controlStatement(
  `SELECT CASE WHEN pg_catalog.pg_is_in_recovery() THEN 'standby'
    WHEN ${systemIdentifierSql} = $2 AND ${timelineSql} = $3 THEN pg_catalog.pg_xact_status($1) END, ${incarnationSql}`,
);
/** SQLSTATE of an id that the server has not given to anybody yet. */
const idInTheFuture = '22023';

/** What the server's word on an id means. `crashed`: since the transaction, so that the id may be a stranger's now. */
function meaningOf(status: string | null | undefined, crashed: boolean): CommitOutcome | undefined {
  switch (status) {
    case 'committed':
      return crashed ? 'unknown' : 'committed';
    case 'aborted':
      // Had it been committed, the id would still be its own.
      return 'rolled-back';
    case 'in progress':
    case 'standby':
      return undefined;
    default:
      return 'unknown'; // another history, or too long ago
  }
}

/** Asks the server what became of work whose commit was not answered. Never guesses: what the server cannot say is unknown. */
export class CommitInquiry {
  readonly #parts: InquiryParts;

  constructor(parts: InquiryParts) {
    this.#parts = parts;
  }

  /** Of a transaction by its id. Never rejects: where nobody can be asked until `untilMs` it is unknown. */
  async ofTransaction(identity: TransactionIdentity, untilMs: number): Promise<CommitOutcome> {
    const { xid, systemIdentifier, timeline, incarnation } = identity;
    const step = { ...transactionStatus, params: [xid, systemIdentifier, timeline] };
    const ask = async (call: Call): Promise<CommitOutcome | undefined> => {
      try {
        const [status, now] = (await this.#run(step, call))[0] ?? [];
        return meaningOf(status, now !== incarnation);
      } catch (thrown) {
        // The server forgot the id in a crash, and with it the transaction.
        if (HoldfastError.from(thrown).metadata['sqlstate'] === idInTheFuture) return 'rolled-back';
        throw thrown;
      }
    };
    return this.#repeated(ask, untilMs).catch(() => 'unknown' as const);
  }

  /**
   * Of work by the id that its caller gave it, which bars the work if it is not committed. Rejects when the server cannot be asked until `untilMs`, or when
   * `asking` ends: whoever asks may stop, a commit whose answer was lost does not.
   */
  async ofCommitId(commitId: string, untilMs: number, asking?: Call): Promise<CommitOutcome> {
    const ask = async (call: Call): Promise<CommitOutcome> => {
      if ((await this.#run(barCommit(commitId), call)).length > 0) return 'rolled-back';
      const [barred] = (await this.#run(commitBarred(commitId), call))[0] ?? [];
      if (barred === undefined) return 'unknown'; // somebody deletes rows just now
      return barred === 't' ? 'rolled-back' : 'committed';
    };
    return this.#repeated(ask, untilMs, asking);
  }

  /** Asks until there is an answer. */
  async #repeated(
    ask: (call: Call) => Promise<CommitOutcome | undefined>,
    latestMs: number,
    asking?: Call,
  ): Promise<CommitOutcome> {
    const { clock, random } = this.#parts;
    const untilMs = Math.min(latestMs, clock.now() + patienceMs);
    const priority = asking?.priority ?? 'high';
    const call = new Call({ scope: alone, deadlineAtMs: untilMs, priority });
    const leftMs = Math.max(0, untilMs - clock.now());
    const stop = clock.after(leftMs, () => call.end(deadlineExceeded()));
    const unlisten = asking?.onEnd((reason) => call.end(reason));
    try {
      for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(longestPauseMs, 2 * pauseMs)) {
        const { outcome, failure } = await this.#once(ask, call);
        if (outcome !== undefined) return outcome;
        if (call.ended === undefined) {
          await clock.sleep(pauseMs * (0.5 + random()), call.signal).catch(() => {});
        }
        if (call.ended !== undefined) throw asking?.ended ?? failure ?? call.ended;
      }
    } finally {
      stop();
      unlisten?.();
    }
  }

  /** Rejects with a failure that lasts. */
  async #once(
    ask: (call: Call) => Promise<CommitOutcome | undefined>,
    call: Call,
  ): Promise<{ outcome?: CommitOutcome | undefined; failure?: HoldfastError }> {
    try {
      return { outcome: await ask(call) };
    } catch (thrown) {
      const failure = HoldfastError.from(thrown);
      // A server that takes no writes is about to become one that does, or is being left.
      const isReadOnly = failure.metadata['sqlstate'] === readOnlyTransaction;
      if (!isReadOnly && !mayPass.has(failure.kind)) throw failure;
      return { failure };
    }
  }

  async #run(step: Step, call: Call): Promise<readonly DecodedRow[]> {
    const { pool, lend } = this.#parts;
    const loan = await lend(call);
    const { connection } = loan;
    const exchange = new Exchange([step], mostAnswerBytes);
    connection.submit(exchange);
    const unlisten = call.onEnd(() => connection.cancel(exchange));
    await exchange.done;
    unlisten();
    if (exchange.cancelRequested) await connection.quiet();
    loan.giveBack(connection.status !== 'I');
    const { failure, results } = exchange;
    if (failure !== undefined) {
      throw markError(failure, pool) ?? exchangeError(exchange, call, { pool, writes: false });
    }
    return results[0] === undefined ? [] : decodeRows(results[0]);
  }
}

/** Nothing of this lasts: it is worth asking again. A mark is inserted at most once, however often it is tried. */
const mayPass: ReadonlySet<string> = new Set(['unavailable', 'conflict', 'exhausted', 'deadline']);

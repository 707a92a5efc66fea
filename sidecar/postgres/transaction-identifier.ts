import type { Connection } from './connection.ts';
import { Exchange, type StatementResult, type Step } from './exchange.ts';
import { introduction, readIntroduction, type TransactionIdentity } from './server-identity.ts';

/** What a question takes of the space for results. */
export const questionBytes = 256;

/** Learns the id of a transaction from the server, in the exchange of the statement that may have given it one: in no round trip of its own. */
export class TransactionIdentifier {
  #identity: TransactionIdentity | undefined;
  #mayWrite = false;
  /** Another role may not be allowed to ask, and a question that fails fails the transaction. */
  #otherRole = false;

  get identity(): TransactionIdentity | undefined {
    return this.#identity;
  }

  /** Whether there may be something to commit. */
  get mayWrite(): boolean {
    return this.#mayWrite;
  }

  /** What to ask behind `steps`; undefined where there is nothing to learn, or the server does not say. */
  question(steps: readonly Step[], { backend }: Connection): Step | undefined {
    const writes = steps.some(({ profile }) => !profile.reads && !profile.prepares);
    this.#mayWrite ||= writes || steps.some(({ profile }) => profile.readsTables);
    this.#otherRole ||= steps.some(({ profile }) => setsRole.test(profile.sql));
    if (!writes || this.#otherRole || this.#identity !== undefined) return undefined;
    return backend === undefined ? undefined : introduction(backend);
  }

  learn(answer: StatementResult | undefined, connection: Connection): void {
    if (answer === undefined) return;
    const { backend, transaction } = readIntroduction(answer, connection.backend);
    connection.backend = backend;
    this.#identity = transaction;
  }
}

/** In a comment or a literal, too: then a commit whose answer is lost stays unknown, which is no lie. */
const setsRole = /\bset\b[^]*\b(?:role|authorization)\b/i;

/**
 * Has a new connection introduce itself, before its first transaction: behind a pooler there is no server to be asked before that. Where the server does
 * not say who it is, as some hosted ones do, a commit whose answer is lost is unknown.
 */
export async function introduce(
  connection: Connection,
  perform: (exchange: Exchange) => Promise<void>,
): Promise<void> {
  if (connection.introduced) return;
  const exchange = new Exchange([introduction(undefined)], questionBytes);
  await perform(exchange);
  // Who was stopped is asked again.
  connection.introduced = !exchange.cancelRequested;
  const [answer] = exchange.results;
  if (answer !== undefined) connection.backend = readIntroduction(answer, undefined).backend;
}

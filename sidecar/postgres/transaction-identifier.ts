import type { Connection } from './connection.ts';
import type { StatementResult, Step } from './exchange.ts';
import { introduction, readIntroduction, type TransactionIdentity } from './server-identity.ts';

/** Learns the id of a transaction from the server, in the exchange of the statement that may have given it one: in no round trip of its own. */
export class TransactionIdentifier {
  #identity: TransactionIdentity | undefined;
  #mayWrite = false;

  get identity(): TransactionIdentity | undefined {
    return this.#identity;
  }

  /** Whether there may be something to commit. */
  get mayWrite(): boolean {
    return this.#mayWrite;
  }

  /** What to ask behind `steps`; undefined where there is nothing to learn, or the server does not say. */
  question(steps: readonly Step[], { backend }: Connection): Step | undefined {
    const writes = steps.some(({ profile }) => !profile.reads && !profile.configures);
    this.#mayWrite ||= writes;
    if (!writes || this.#identity !== undefined || backend === undefined) return undefined;
    return introduction(backend);
  }

  learn(answer: StatementResult | undefined, connection: Connection): void {
    if (answer === undefined) return;
    const { backend, transaction } = readIntroduction(answer, connection.backend);
    connection.backend = backend;
    this.#identity = transaction;
  }
}

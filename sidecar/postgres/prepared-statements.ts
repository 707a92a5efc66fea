import type { StatementProfile } from './statement-profile.ts';

/** A named statement of one connection. */
export interface PreparedStatement {
  readonly name: string;
  /** The server has prepared it. */
  confirmed: boolean;
  /** Number of the exchange that prepares it. */
  readonly exchange: number;
  /** Protobuf bytes of the columns, once the server has described them; it refuses to run the statement when they change. */
  columns: Buffer | undefined;
}

/** A statement is worth a name the second time it is seen: texts with literals in them never come back. */
const usesBeforeNaming = 1;

/** The named statements of one connection, bounded, the least recently used dropped first. */
export class PreparedStatements {
  readonly #most: number;
  readonly #byText = new Map<string, PreparedStatement>();
  readonly #evicted: string[] = [];
  #made = 0;
  #exchange = 0;

  /** `most` of 0 gives no statement a name. */
  constructor(most: number) {
    this.#most = most;
  }

  /** What is added from now on is prepared by another exchange. */
  nextExchange(): void {
    this.#exchange += 1;
  }

  /** Whether the exchange at hand may rely on it: else the server may have to skip its Parse. */
  canUse({ confirmed, exchange }: PreparedStatement): boolean {
    return confirmed || exchange === this.#exchange;
  }

  get(sql: string): PreparedStatement | undefined {
    const found = this.#byText.get(sql);
    if (found !== undefined && this.#byText.size > this.#most / 2) {
      this.#byText.delete(sql);
      this.#byText.set(sql, found);
    }
    return found;
  }

  /** A name for a statement that has none yet, or undefined when it is not worth one. */
  add(profile: StatementProfile): PreparedStatement | undefined {
    if (this.#most === 0 || profile.uses < usesBeforeNaming || profile.fetches) return undefined;
    if (this.#byText.size >= this.#most) {
      const oldest = this.#byText.entries().next();
      if (oldest.done !== true) {
        this.#byText.delete(oldest.value[0]);
        this.#evicted.push(oldest.value[1].name);
      }
    }
    this.#made += 1;
    const statement: PreparedStatement = {
      name: `h${this.#made}`,
      confirmed: false,
      exchange: this.#exchange,
      columns: undefined,
    };
    this.#byText.set(profile.sql, statement);
    return statement;
  }

  /** The server does not have it, or no longer as it was: the next use prepares it anew. */
  forget(sql: string, close: boolean): void {
    const found = this.#byText.get(sql);
    if (found === undefined) return;
    this.#byText.delete(sql);
    if (close) this.#evicted.push(found.name);
  }

  /** The server has dropped them all. */
  clear(): void {
    this.#byText.clear();
    this.#evicted.length = 0;
  }

  /** Name of one the server still has and nobody needs, to be closed. */
  nextEvicted(): string | undefined {
    return this.#evicted.pop();
  }
}

import type { ByteWriter } from './byte-writer.ts';
import { emptySlot, type ResultSlot } from './shape.ts';

const maxStatements = 512;
const maxKeptLength = 8 * 1024;
const sqlTag = 0x0a;

/** A text of SQL with what is worth remembering of it. */
export interface Statement extends ResultSlot {
  readonly sql: string;
  /** The text as the field `sql` of a request, tag and length included; from its first use on. */
  field: Uint8Array | undefined;
}

/** The SQL texts that came by lately: an application has few of them and sends them often. One for each client. */
export class Statements {
  readonly #known = new Map<string, Statement>();

  get(sql: string): Statement {
    const known = this.#known.get(sql);
    if (known !== undefined) return known;
    const made: Statement = { sql, field: undefined, ...emptySlot() };
    if (sql.length <= maxKeptLength) {
      if (this.#known.size >= maxStatements) this.#forgetOldest();
      this.#known.set(sql, made);
    }
    return made;
  }

  #forgetOldest(): void {
    for (const sql of this.#known.keys()) {
      this.#known.delete(sql);
      return;
    }
  }
}

/** Writes the field `sql`, which has the same number in every message that has it. */
export function writeSql(writer: ByteWriter, statement: Statement): void {
  if (statement.field !== undefined) {
    writer.raw(statement.field);
    return;
  }
  const start = writer.length;
  writer.byte(sqlTag);
  writer.string(statement.sql);
  statement.field = writer.copy(start);
}

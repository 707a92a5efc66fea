import { varintSize, writeVarint } from '../../platform/protobuf-wire.ts';
import { readInt16, readInt32 } from './backend-messages.ts';

/**
 * Turns what PostgreSQL sends into the bytes of a holdfast.v1.QueryResult, without making an object or a string of any cell.
 *
 * Fields of a protobuf message may be written one by one and joined: a result is its columns, then its rows, then the tail.
 */

const tag = {
  resultColumns: 0x0a, // QueryResult.columns = 1
  resultRows: 0x12, // QueryResult.rows = 2
  resultRowsAffected: 0x18, // QueryResult.rows_affected = 3
  resultCommand: 0x22, // QueryResult.command = 4
  columnName: 0x0a, // Column.name = 1
  columnTypeOid: 0x10, // Column.type_oid = 2
  columnTypeModifier: 0x18, // Column.type_modifier = 3
  rowCells: 0x0a, // Row.cells = 1
  cellText: 0x0a, // Cell.text = 1
} as const;

/** Rows of one statement, encoded as they come. Belongs to one connection and is emptied after each statement. */
export class RowEncoder {
  #bytes = Buffer.allocUnsafeSlow(16 * 1024);
  #length = 0;
  #rows = 0;

  /** Bytes of the rows taken in since the last `take`. */
  get length(): number {
    return this.#length;
  }

  get rows(): number {
    return this.#rows;
  }

  /** Takes a DataRow message. */
  add(bytes: Buffer, start: number): void {
    const columns = readInt16(bytes, start);
    let rowBytes = 0;
    let at = start + 2;
    for (let column = 0; column < columns; column += 1) {
      const cellBytes = readInt32(bytes, at);
      at += 4;
      if (cellBytes < 0) {
        rowBytes += 2;
      } else {
        const textBytes = 1 + varintSize(cellBytes) + cellBytes;
        rowBytes += 1 + varintSize(textBytes) + textBytes;
        at += cellBytes;
      }
    }
    this.#reserve(6 + rowBytes);
    const out = this.#bytes;
    let to = this.#length;
    out[to++] = tag.resultRows;
    to = writeVarint(out, to, rowBytes);
    at = start + 2;
    for (let column = 0; column < columns; column += 1) {
      const cellBytes = readInt32(bytes, at);
      at += 4;
      out[to++] = tag.rowCells;
      if (cellBytes < 0) {
        out[to++] = 0;
        continue;
      }
      to = writeVarint(out, to, 1 + varintSize(cellBytes) + cellBytes);
      out[to++] = tag.cellText;
      to = writeVarint(out, to, cellBytes);
      to = copy(bytes, at, cellBytes, out, to);
      at += cellBytes;
    }
    this.#length = to;
    this.#rows += 1;
  }

  /** The encoded rows between `head` and `tail`, as one piece of memory of its own; empties the encoder. */
  take(head: Buffer, tail: Buffer): Buffer {
    const bytes = Buffer.allocUnsafe(head.length + this.#length + tail.length);
    copy(head, 0, head.length, bytes, 0);
    this.#bytes.copy(bytes, head.length, 0, this.#length);
    copy(tail, 0, tail.length, bytes, head.length + this.#length);
    this.clear();
    return bytes;
  }

  clear(): void {
    this.#length = 0;
    this.#rows = 0;
    if (this.#bytes.length > 1024 * 1024) this.#bytes = Buffer.allocUnsafeSlow(16 * 1024);
  }

  #reserve(bytes: number): void {
    const needed = this.#length + bytes;
    if (needed <= this.#bytes.length) return;
    const roomier = Buffer.allocUnsafeSlow(Math.max(needed, 2 * this.#bytes.length));
    this.#bytes.copy(roomier, 0, 0, this.#length);
    this.#bytes = roomier;
  }
}

/** The columns of a RowDescription message. */
export function encodeColumns(bytes: Buffer, start: number): Buffer {
  const pieces: Buffer[] = [];
  const count = readInt16(bytes, start);
  let at = start + 2;
  for (let index = 0; index < count; index += 1) {
    const stop = bytes.indexOf(0, at);
    const name = bytes.subarray(at, stop);
    const typeOid = readInt32(bytes, stop + 7) >>> 0;
    const typeModifier = readInt32(bytes, stop + 13);
    at = stop + 19;
    const column = Buffer.allocUnsafe(name.length + 32);
    let to = 0;
    column[to++] = tag.columnName;
    to = writeVarint(column, to, name.length);
    to = copy(name, 0, name.length, column, to);
    column[to++] = tag.columnTypeOid;
    to = writeVarint(column, to, typeOid);
    column[to++] = tag.columnTypeModifier;
    to = writeVarint(column, to, ((typeModifier << 1) ^ (typeModifier >> 31)) >>> 0); // zigzag of sint32
    const head = Buffer.allocUnsafe(6);
    head[0] = tag.resultColumns;
    pieces.push(head.subarray(0, writeVarint(head, 1, to)), column.subarray(0, to));
  }
  return Buffer.concat(pieces);
}

interface CommandTail {
  readonly bytes: Buffer;
  /** First words of the tag, without its numbers. */
  readonly command: string;
}

const tails = new Map<string, CommandTail>();

/** rows_affected and command of a CommandComplete message's tag. Tags repeat, so the last few hundred are kept. */
export function encodeCommandTag(commandTag: string): CommandTail {
  const known = tails.get(commandTag);
  if (known !== undefined) return known;
  // `INSERT 0 5`, `SELECT 5`, `CREATE TABLE`: the last number counts rows.
  const words = commandTag.split(' ');
  const command = words.filter((word) => !isNumber(word)).join(' ');
  const rows = words.findLast(isNumber) ?? '0';
  const name = Buffer.from(command);
  const bytes = Buffer.allocUnsafe(name.length + 32);
  let to = 0;
  if (rows !== '0') {
    bytes[to++] = tag.resultRowsAffected;
    let rest = BigInt(rows);
    while (rest > 127n) {
      bytes[to++] = Number(rest & 127n) | 128;
      rest >>= 7n;
    }
    bytes[to++] = Number(rest);
  }
  bytes[to++] = tag.resultCommand;
  to = writeVarint(bytes, to, name.length);
  to = copy(name, 0, name.length, bytes, to);
  const tail = { bytes: bytes.subarray(0, to), command };
  if (tails.size > 512) tails.clear();
  tails.set(commandTag, tail);
  return tail;
}

const isNumber = (word: string): boolean => /^\d+$/.test(word);

/** Short copies are cheaper in a loop than in a call to native code. */
function copy(from: Buffer, start: number, bytes: number, out: Buffer, at: number): number {
  if (bytes > 32) {
    from.copy(out, at, start, start + bytes);
  } else {
    for (let index = 0; index < bytes; index += 1) out[at + index] = from[start + index] as number;
  }
  return at + bytes;
}

import type { TypeDecoders } from '../types/decoders.ts';
import type { ByteReader } from './byte-reader.ts';
import {
  type Column,
  noColumns,
  readShape,
  type Shape,
  type ResultSlot,
  shapeOf,
} from './shape.ts';

/** A row by column name; of columns with the same name the last one counts. */
export type Row = Record<string, unknown>;

/** What a statement gave. */
export interface QueryResult<R = Row> {
  readonly rows: R[];
  /** Empty for a statement that returns no rows. */
  readonly columns: readonly Column[];
  /** Rows that the statement inserted, updated, deleted, merged, or returned. */
  readonly rowsAffected: number;
  /** `SELECT`, `INSERT`, `CREATE TABLE` … */
  readonly command: string;
}

/** How results become values: the same for all calls of one client, save `rowMode`. */
export interface ResultFormat {
  readonly types: TypeDecoders;
  readonly rowMode: 'object' | 'array';
}

// Fields of holdfast.v1.QueryResult, Row and Cell.
const tag = { columns: 0x0a, rows: 0x12, rowsAffected: 0x18, command: 0x22 } as const;
const cellsTag = 0x0a;
const textTag = 0x0a;

interface MutableResult {
  rows: unknown[];
  columns: readonly Column[];
  rowsAffected: number;
  command: string;
}

/** Reads a holdfast.v1.QueryResult that ends at `end`. With `previous` it goes on where the earlier parts of the same answer ended. */
export function readQueryResult(
  reader: ByteReader,
  end: number,
  slot: ResultSlot,
  format: ResultFormat,
  previous?: QueryResult<unknown>,
): QueryResult<unknown> {
  const result: MutableResult = previous ?? {
    rows: [],
    columns: noColumns.columns,
    rowsAffected: 0,
    command: '',
  };
  let shape = noColumns;
  if (reader.bytes[reader.at] === tag.columns && reader.at < end) {
    shape = readShape(reader, end, slot, format.types);
    result.columns = shape.columns;
  } else if (previous !== undefined) {
    shape = shapeOf(previous.columns);
  }
  const { rows } = result;
  const readRow = format.rowMode === 'array' ? readArray : readObject;
  while (reader.at < end) {
    const field = reader.varint();
    if (field === tag.rows) rows.push(readRow(reader, reader.lengthWithin(end), shape));
    else if (field === tag.rowsAffected) result.rowsAffected = reader.uint64();
    else if (field === tag.command) result.command = readCommand(reader, end, slot);
    else if (field === tag.columns) throw new Error('malformed message: columns after rows');
    else reader.skip(field, end);
  }
  return result;
}

function readObject(reader: ByteReader, end: number, shape: Shape): Row {
  const { names, decoders } = shape;
  const row: Row = {};
  let column = 0;
  while (reader.at < end) {
    const cellEnd = nextCell(reader, end);
    if (cellEnd < 0) continue;
    const name = names[column];
    const decode = decoders[column];
    if (name === undefined || decode === undefined) throw unevenRow();
    const value = readCell(reader, cellEnd, decode);
    if (shape.hasProto && name === '__proto__') {
      Object.defineProperty(row, name, {
        value,
        enumerable: true,
        configurable: true,
        writable: true,
      });
    } else {
      row[name] = value;
    }
    column += 1;
  }
  if (column !== names.length) throw unevenRow();
  return row;
}

function readArray(reader: ByteReader, end: number, shape: Shape): unknown[] {
  const { decoders } = shape;
  const row: unknown[] = [];
  while (reader.at < end) {
    const cellEnd = nextCell(reader, end);
    if (cellEnd < 0) continue;
    const decode = decoders[row.length];
    if (decode === undefined) throw unevenRow();
    row.push(readCell(reader, cellEnd, decode));
  }
  if (row.length !== decoders.length) throw unevenRow();
  return row;
}

/** Where the next cell ends; -1 when it was some other field. */
function nextCell(reader: ByteReader, end: number): number {
  const field = reader.varint();
  if (field === cellsTag) return reader.lengthWithin(end);
  reader.skip(field, end);
  return -1;
}

function readCell(
  reader: ByteReader,
  end: number,
  decode: (bytes: Buffer, start: number, end: number) => unknown,
): unknown {
  let value: unknown = null;
  while (reader.at < end) {
    const field = reader.varint();
    if (field === textTag) {
      const stop = reader.lengthWithin(end);
      value = decode(reader.bytes, reader.at, stop);
      reader.at = stop;
    } else {
      reader.skip(field, end);
    }
  }
  return value;
}

/** The command is nearly always the same as last time: comparing it is cheaper than making a string. */
function readCommand(reader: ByteReader, end: number, slot: ResultSlot): string {
  const stop = reader.lengthWithin(end);
  const { bytes, at } = reader;
  reader.at = stop;
  if (stop - at === slot.command.length) {
    let same = at;
    while (same < stop && bytes[same] === slot.command.charCodeAt(same - at)) same += 1;
    if (same === stop) return slot.command;
  }
  slot.command = bytes.toString('utf8', at, stop);
  return slot.command;
}

const unevenRow = (): Error => new Error('malformed message: a row does not fit its columns');

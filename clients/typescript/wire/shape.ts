import { type CellDecoder, cellDecoder, type TypeDecoders } from '../types/decoders.ts';
import type { ByteReader } from './byte-reader.ts';

/** A column of a result. */
export interface Column {
  readonly name: string;
  /** `pg_type.oid`. */
  readonly typeOid: number;
  /** `pg_attribute.atttypmod`; -1 for none. */
  readonly typeModifier: number;
}

/** What the rows of a result look like, and how their cells are decoded. Shared by all results with the same columns. */
export interface Shape {
  readonly columns: readonly Column[];
  readonly names: readonly string[];
  readonly decoders: readonly CellDecoder[];
  /** A column is called `__proto__`, which plain assignment would not store. */
  readonly hasProto: boolean;
  /** The encoded columns. */
  readonly bytes: Buffer;
}

/** Remembers what the last result of one statement looked like: the next one nearly always looks the same. */
export interface ResultSlot {
  shape: Shape | undefined;
  command: string;
}

export const emptySlot = (): ResultSlot => ({ shape: undefined, command: '' });

// Fields of holdfast.v1.QueryResult and Column.
const columnsTag = 0x0a;
const tag = { name: 0x0a, typeOid: 0x10, typeModifier: 0x18 } as const;

const shapes = new WeakMap<readonly Column[], Shape>();

/** The shape of a result that has been decoded in part. */
export const shapeOf = (columns: readonly Column[]): Shape => shapes.get(columns) ?? noColumns;

/** Reads the columns that stand at the start of a QueryResult, or takes them from the slot when they are the same. */
export function readShape(
  reader: ByteReader,
  end: number,
  slot: ResultSlot,
  types: TypeDecoders,
): Shape {
  const { bytes, at: start } = reader;
  const known = slot.shape;
  if (known !== undefined && startsWith(bytes, start, end, known.bytes)) {
    const after = start + known.bytes.length;
    // The known columns could also be only the first few of these.
    if (bytes[after] !== columnsTag || after === end) {
      reader.at = after;
      return known;
    }
  }
  const columns: Column[] = [];
  while (reader.at < end && bytes[reader.at] === columnsTag) {
    reader.at += 1;
    columns.push(readColumn(reader, reader.lengthWithin(end)));
  }
  const shape = makeShape(columns, types, Buffer.from(bytes.subarray(start, reader.at)));
  slot.shape = shape;
  return shape;
}

function makeShape(columns: readonly Column[], types: TypeDecoders, bytes: Buffer): Shape {
  const names = columns.map(({ name }) => name);
  const shape: Shape = {
    columns: Object.freeze(columns),
    names,
    decoders: columns.map(({ typeOid }) => cellDecoder(typeOid, types)),
    hasProto: names.includes('__proto__'),
    bytes,
  };
  shapes.set(columns, shape);
  return shape;
}

/** Of statements that return no rows. */
export const noColumns: Shape = makeShape([], {}, Buffer.alloc(0));

function readColumn(reader: ByteReader, end: number): Column {
  let name = '';
  let typeOid = 0;
  let typeModifier = 0;
  while (reader.at < end) {
    const field = reader.varint();
    if (field === tag.name) {
      name = reader.string(end);
    } else if (field === tag.typeOid) {
      typeOid = reader.varint();
    } else if (field === tag.typeModifier) {
      const zigzag = reader.varint();
      typeModifier = (zigzag >>> 1) ^ -(zigzag & 1);
    } else {
      reader.skip(field, end);
    }
  }
  return Object.freeze({ name, typeOid, typeModifier });
}

function startsWith(bytes: Buffer, start: number, end: number, expected: Buffer): boolean {
  const size = expected.length;
  if (start + size > end) return false;
  if (size > 128) return bytes.compare(expected, 0, size, start, start + size) === 0;
  for (let index = 0; index < size; index += 1) {
    if (bytes[start + index] !== expected[index]) return false;
  }
  return true;
}

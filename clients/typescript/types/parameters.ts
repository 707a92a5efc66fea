import { HoldfastError } from '../errors.ts';
import type { ByteWriter } from '../wire/byte-writer.ts';

/**
 * A value of `$1`, `$2` …: null, boolean, number, bigint, string, Uint8Array (for `bytea`), Date (ISO text), an array (PostgreSQL's array
 * literal), any other object (JSON text). An array for a `json` column has to be given as JSON text.
 */
export type Parameter = unknown;

// Fields of holdfast.v1.Value.
const tag = { null: 0x08, text: 0x12, bytes: 0x1a, int: 0x20, double: 0x29, bool: 0x30 } as const;

const minInt64 = -(2n ** 63n);
const maxInt64 = 2n ** 63n - 1n;

/** Writes a holdfast.v1.Value with its length before it. Throws HoldfastError for what cannot be a parameter. */
export function writeValue(writer: ByteWriter, value: Parameter): void {
  const start = writer.begin();
  switch (typeof value) {
    case 'string':
      text(writer, value);
      break;
    case 'number':
      number(writer, value);
      break;
    case 'bigint':
      if (value >= minInt64 && value <= maxInt64) {
        writer.byte(tag.int);
        writer.bigint64(value);
      } else {
        text(writer, value.toString());
      }
      break;
    case 'boolean':
      writer.byte(tag.bool);
      writer.byte(value ? 1 : 0);
      break;
    default:
      object(writer, value);
  }
  writer.finish(start);
}

function text(writer: ByteWriter, value: string): void {
  writer.byte(tag.text);
  writer.string(value);
}

function number(writer: ByteWriter, value: number): void {
  if (Object.is(value, -0)) {
    // Neither an int nor the text that a double turns into keeps the sign of a zero.
    text(writer, '-0');
  } else if (Number.isSafeInteger(value)) {
    writer.byte(tag.int);
    writer.int64(value);
  } else {
    writer.byte(tag.double);
    writer.double(value);
  }
}

function object(writer: ByteWriter, value: unknown): void {
  if (value === null) {
    writer.byte(tag.null);
    writer.byte(0);
  } else if (value instanceof Uint8Array) {
    writer.byte(tag.bytes);
    writer.bytes(value);
  } else {
    text(writer, textOf(value));
  }
}

/** PostgreSQL's text form of a value that is not null. */
function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return Object.is(value, -0) ? '-0' : String(value);
  if (typeof value === 'bigint' || typeof value === 'boolean') return String(value);
  if (value instanceof Date) return dateText(value);
  if (Array.isArray(value)) return arrayText(value);
  if (value instanceof Uint8Array) {
    return `\\x${Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('hex')}`;
  }
  if (typeof value === 'object' && !ArrayBuffer.isView(value)) {
    // undefined when its toJSON says so.
    const json = JSON.stringify(value) as string | undefined;
    if (json !== undefined) return json;
  }
  throw HoldfastError.invalid(
    `a parameter of type ${value === undefined ? 'undefined (null is NULL)' : typeof value} has no form in SQL`,
  );
}

/** PostgreSQL writes years before 1 as BC, and five-digit ones without a sign. */
function dateText(date: Date): string {
  if (Number.isNaN(date.getTime())) throw HoldfastError.invalid('a parameter is an invalid Date');
  const year = date.getUTCFullYear();
  const rest = date.toISOString().slice(-20); // `-01-31T12:00:00.000Z`
  const shown = String(year > 0 ? year : 1 - year).padStart(4, '0');
  return `${shown}${rest}${year > 0 ? '' : ' BC'}`;
}

function arrayText(items: readonly unknown[]): string {
  const parts: string[] = [];
  // By index: a hole counts as undefined and is refused.
  for (let index = 0; index < items.length; index += 1) {
    const item = items[index];
    if (item === null) parts.push('NULL');
    else if (Array.isArray(item)) parts.push(arrayText(item));
    else parts.push(quotedItem(textOf(item)));
  }
  return `{${parts.join(',')}}`;
}

const quotedItem = (item: string): string =>
  /^[\w.+-]+$/.test(item) && item.toUpperCase() !== 'NULL'
    ? item
    : `"${item.replaceAll(/["\\]/g, String.raw`\$&`)}"`;

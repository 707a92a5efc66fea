import { parseArray } from './array-text.ts';
import { elementOfArray, oids } from './oids.ts';

/** A value from PostgreSQL's text form of it. */
export type TextDecoder = (text: string) => unknown;

/** A value from the bytes `start` to `end` of a message, which hold PostgreSQL's text form. */
export type CellDecoder = (bytes: Buffer, start: number, end: number) => unknown;

/** Decoders of the caller's own by type OID; they go before the built-in ones, inside arrays too. */
export type TypeDecoders = Readonly<Record<number, TextDecoder>>;

const asText: CellDecoder = (bytes, start, end) => bytes.toString('utf8', start, end);

/** The decoder of a column: the caller's, the built-in one, or plain text. */
export function cellDecoder(typeOid: number, types: TypeDecoders): CellDecoder {
  const fast = types[typeOid] === undefined ? fromBytes.get(typeOid) : undefined;
  if (fast !== undefined) return fast;
  const decode = textDecoder(typeOid, types);
  if (decode === undefined) return asText;
  return (bytes, start, end) => decode(bytes.toString('utf8', start, end));
}

/** The same from text; undefined where the text is the value. */
export function textDecoder(typeOid: number, types: TypeDecoders): TextDecoder | undefined {
  const own = types[typeOid] ?? fromText.get(typeOid);
  if (own !== undefined) return own;
  const elementOid = elementOfArray.get(typeOid);
  if (elementOid === undefined) return undefined;
  const element = textDecoder(elementOid, types) ?? ((text: string): string => text);
  return (text) => parseArray(text, element);
}

const parseJson: TextDecoder = (text) => JSON.parse(text) as unknown;

const fromText: ReadonlyMap<number, TextDecoder> = new Map<number, TextDecoder>([
  [oids.bool, (text) => text === 't'],
  [oids.bytea, decodeBytea],
  [oids.int2, Number],
  [oids.int4, Number],
  [oids.oid, Number],
  [oids.int8, BigInt],
  [oids.float4, Number],
  [oids.float8, Number],
  [oids.json, parseJson],
  [oids.jsonb, parseJson],
]);

/** The frequent types, without making a string first. */
const fromBytes: ReadonlyMap<number, CellDecoder> = new Map<number, CellDecoder>([
  [oids.bool, (bytes, start) => bytes[start] === 0x74],
  [oids.int2, integer],
  [oids.int4, integer],
  [oids.oid, integer],
  [oids.int8, bigInteger],
]);

/** Digits that a double holds exactly, with or without a sign before them. */
function integer(bytes: Buffer, start: number, end: number): number {
  const negative = bytes[start] === 0x2d;
  let value = 0;
  for (let at = negative ? start + 1 : start; at < end; at += 1) {
    value = value * 10 + (bytes[at] as number) - 0x30;
  }
  return negative ? -value : value;
}

function bigInteger(bytes: Buffer, start: number, end: number): bigint {
  return end - start <= 15
    ? BigInt(integer(bytes, start, end))
    : BigInt(bytes.toString('latin1', start, end));
}

/** `\x6162`, or the older escape form (`bytea_output = escape`). */
function decodeBytea(text: string): Buffer {
  if (text.startsWith('\\x')) return Buffer.from(text.slice(2), 'hex');
  const plain = text.replaceAll(/\\(\\|[0-7]{3})/g, (_, escaped: string) =>
    escaped === '\\' ? '\\' : String.fromCharCode(Number.parseInt(escaped, 8)),
  );
  return Buffer.from(plain, 'latin1');
}

/**
 * For `types`: a Date from a `timestamptz`, or from a `timestamp` that is meant as UTC. A Date ends at milliseconds and knows no infinity:
 * microseconds are cut off, and what does not fit throws. `types: { [oids.timestamptz]: toDate }`
 */
export function toDate(text: string): Date {
  const parts =
    /^(\d{4,})-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?(?:([+-])(\d\d)(?::(\d\d))?(?::(\d\d))?)?( BC)?$/.exec(
      text,
    );
  if (parts === null) throw new RangeError('a timestamp that a Date cannot hold');
  const [, year, month, day, hour, minute, second, fraction, sign, offHour, offMinute, offSecond] =
    parts;
  const date = new Date(0);
  date.setUTCFullYear(
    parts[12] === undefined ? Number(year) : 1 - Number(year),
    Number(month) - 1,
    Number(day),
  );
  date.setUTCHours(
    Number(hour),
    Number(minute),
    Number(second),
    Number((fraction ?? '').padEnd(3, '0').slice(0, 3)),
  );
  const offsetSeconds =
    Number(offHour ?? 0) * 3600 + Number(offMinute ?? 0) * 60 + Number(offSecond ?? 0);
  const instant = new Date(date.getTime() - (sign === '-' ? -1000 : 1000) * offsetSeconds);
  if (Number.isNaN(instant.getTime())) throw new RangeError('a timestamp that a Date cannot hold');
  return instant;
}

import { HoldfastError } from '../../platform/errors.ts';
import { varintSize, writeVarint } from '../../platform/protobuf-wire.ts';

/**
 * What ioredis gives with `stringNumbers`: text (bulk or simple) as a Buffer, an integer as a string, so that all 64 bits survive; an error
 * only inside an array.
 */
export type Reply = Buffer | string | null | Error | readonly Reply[];

const tag = {
  null: 0x08, // RedisReply.null = 1
  integer: 0x10, // RedisReply.integer = 2
  bytes: 0x1a, // RedisReply.bytes = 3
  array: 0x22, // RedisReply.array = 4
  error: 0x2a, // RedisReply.error = 5
  items: 0x0a, // RedisArray.items = 1
} as const;

/** Stock protobuf readers give up at 100 nested messages, and each level of an array takes two. */
const deepest = 40;

const nullReply = Buffer.from([tag.null, 0]);

/** The bytes of a holdfast.v1.RedisReply. Throws RESULT_TOO_LARGE when they are more than `maxBytes`. */
export function encodeReply(reply: Reply, maxBytes: number): Buffer {
  if (reply === null) return nullReply;
  if (Buffer.isBuffer(reply)) {
    const { length } = reply;
    if (length > maxBytes) throw replyTooLarge(maxBytes);
    const head = 1 + varintSize(length);
    const out = Buffer.allocUnsafe(head + length);
    out[0] = tag.bytes;
    writeVarint(out, 1, length);
    reply.copy(out, head);
    return out;
  }
  const bound = mostBytes(reply, maxBytes, 0);
  const out = Buffer.allocUnsafe(bound);
  const start = writeBefore(out, bound, reply);
  // A slice of a roomy block would keep all of it alive.
  return start > 1024 ? Buffer.from(out.subarray(start)) : out.subarray(start);
}

/** No less than the encoded bytes. */
function mostBytes(reply: Reply, maxBytes: number, depth: number): number {
  if (reply === null) return 2;
  if (typeof reply === 'string') return 11;
  if (Buffer.isBuffer(reply)) return reply.length + 6;
  if (reply instanceof Error) return 3 * reply.message.length + 6;
  if (depth === deepest) {
    throw new HoldfastError(
      'exhausted',
      'RESULT_TOO_LARGE',
      `the reply has arrays nested deeper than ${deepest}; the command has run`,
    );
  }
  let bytes = 12;
  for (const item of reply) {
    bytes += 6 + mostBytes(item, maxBytes, depth + 1);
    if (bytes > 2 * maxBytes + 1024) throw replyTooLarge(maxBytes);
  }
  if (depth === 0 && contentBytes(reply) > maxBytes) throw replyTooLarge(maxBytes);
  return bytes;
}

/** Bytes of the texts in a reply: what a limit means to those who set it. */
function contentBytes(reply: Reply): number {
  if (reply === null) return 0;
  if (typeof reply === 'string' || Buffer.isBuffer(reply)) return reply.length;
  if (reply instanceof Error) return reply.message.length;
  let bytes = 0;
  for (const item of reply) bytes += contentBytes(item);
  return bytes;
}

/** Writes a RedisReply that ends before `end`, from its end to its beginning: so the size of an array is known when its head is written. */
function writeBefore(out: Buffer, end: number, reply: Reply): number {
  if (reply === null) {
    out[end - 2] = tag.null;
    out[end - 1] = 0;
    return end - 2;
  }
  if (typeof reply === 'string') return integerBefore(out, end, reply);
  if (Buffer.isBuffer(reply)) {
    const start = end - reply.length;
    reply.copy(out, start);
    return headBefore(out, start, tag.bytes, reply.length);
  }
  if (reply instanceof Error) {
    const text = Buffer.from(reply.message);
    text.copy(out, end - text.length);
    return headBefore(out, end - text.length, tag.error, text.length);
  }
  let start = end;
  for (let index = reply.length - 1; index >= 0; index -= 1) {
    const itemEnd = start;
    start = writeBefore(out, itemEnd, reply[index] ?? null);
    start = headBefore(out, start, tag.items, itemEnd - start);
  }
  return headBefore(out, start, tag.array, end - start);
}

function headBefore(out: Buffer, start: number, fieldTag: number, length: number): number {
  const at = start - varintSize(length);
  writeVarint(out, at, length);
  out[at - 1] = fieldTag;
  return at - 1;
}

function integerBefore(out: Buffer, end: number, digits: string): number {
  // Most integers are small, and BigInt is slow.
  const small = digits.length <= 9 ? Number(digits) : -1;
  if (small >= 0) return headBefore(out, end, tag.integer, small);
  let rest = BigInt.asUintN(64, BigInt(digits));
  const bytes: number[] = [];
  do {
    bytes.push(Number(rest & 0x7fn));
    rest >>= 7n;
  } while (rest > 0n);
  const at = end - bytes.length;
  for (const [index, byte] of bytes.entries()) {
    out[at + index] = index === bytes.length - 1 ? byte : byte | 0x80;
  }
  out[at - 1] = tag.integer;
  return at - 1;
}

/** The limit is that of one reply, or of all replies of one pipeline. */
export const replyTooLarge = (maxBytes: number): HoldfastError =>
  new HoldfastError(
    'exhausted',
    'RESULT_TOO_LARGE',
    `the reply is larger than ${maxBytes} bytes (maxReplyBytes of the policy); the command has run, ask for less`,
  );

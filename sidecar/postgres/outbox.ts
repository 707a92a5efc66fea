import { HoldfastError } from '../../platform/errors.ts';
import { controlStatement } from './control-statement.ts';
import type { Step } from './exchange.ts';

/** What a transaction tells when it is committed, and only then. */
export interface OutboxEvent {
  /** 1 to 200 bytes. */
  readonly topic: string;
  /** Of one topic and key, events come in the order of their commits; at most 200 bytes. */
  readonly key: string;
  /** At most 1 MiB. */
  readonly payload: Buffer;
}

const mostEvents = 1_000;
const mostNameBytes = 200;
const mostPayloadBytes = 1_048_576;

/** Element types of arrays, by their OID. */
const oid = { bytea: 17, text: 25 } as const;

const append = controlStatement('SELECT holdfast.outbox_append($1, $2, $3)');

/** Adds events, 1 to 1,000, to the transaction that it is part of: right before its COMMIT, since others with the same keys wait from here on. */
export const appendEvents = (events: readonly OutboxEvent[]): Step => ({
  ...append,
  params: [
    arrayOf(
      oid.text,
      events.map(({ topic }) => Buffer.from(topic)),
    ),
    arrayOf(
      oid.text,
      events.map(({ key }) => Buffer.from(key)),
    ),
    arrayOf(
      oid.bytea,
      events.map(({ payload }) => payload),
    ),
  ],
});

/** Throws INVALID_REQUEST for events that are too many, too large, or named badly. */
export function checkEvents(events: readonly OutboxEvent[]): void {
  if (events.length > mostEvents) {
    throw invalid(`there are ${events.length} events; at most ${mostEvents}`);
  }
  for (const [index, { topic, key, payload }] of events.entries()) {
    const topicBytes = Buffer.byteLength(topic);
    if (topicBytes === 0 || topicBytes > mostNameBytes || topic.includes('\0')) {
      throw invalid(
        `the topic of event ${index} has ${topicBytes} bytes; 1 to ${mostNameBytes}, none of them 0`,
      );
    }
    const keyBytes = Buffer.byteLength(key);
    if (keyBytes > mostNameBytes || key.includes('\0')) {
      throw invalid(
        `the key of event ${index} has ${keyBytes} bytes; at most ${mostNameBytes}, none of them 0`,
      );
    }
    if (payload.length > mostPayloadBytes) {
      throw invalid(
        `the payload of event ${index} has ${payload.length} bytes; at most ${mostPayloadBytes}`,
      );
    }
  }
}

/** What it means that events could not be added. */
export const appendError = (error: HoldfastError, pool: string): HoldfastError =>
  outboxMissing(error) ? outboxNotMigrated(pool, error) : error;

/** No such function, table or schema; no right to it. */
const missing: ReadonlySet<string> = new Set(['42883', '42P01', '3F000', '42501']);
export const outboxMissing = ({ metadata }: HoldfastError): boolean =>
  missing.has(metadata['sqlstate'] ?? '');

export const outboxNotMigrated = (pool: string, cause?: unknown): HoldfastError =>
  new HoldfastError(
    'precondition',
    'MIGRATION_REQUIRED',
    `events need the functions of schema holdfast, which the database of pool "${pool}" does not have or does not let this role use: run \`holdfast migrate\``,
    { target: pool, cause },
  );

/** A one-dimensional array in PostgreSQL's binary format: as text, a payload would be twice as long. */
function arrayOf(element: number, items: readonly Buffer[]): Buffer {
  const head = Buffer.alloc(20);
  head.writeInt32BE(1, 0);
  head.writeInt32BE(element, 8);
  head.writeInt32BE(items.length, 12);
  head.writeInt32BE(1, 16);
  const parts: Buffer[] = [head];
  for (const item of items) {
    const length = Buffer.alloc(4);
    length.writeInt32BE(item.length);
    parts.push(length, item);
  }
  return Buffer.concat(parts);
}

const invalid = (message: string): HoldfastError =>
  new HoldfastError('invalid', 'INVALID_REQUEST', message);

import { readFileSync } from 'node:fs';
import type { Call } from '../../../platform/call.ts';
import { HoldfastError } from '../../../platform/errors.ts';
import type { Event } from '../../../platform/gen/holdfast/v1/Event.ts';
import type { Safety } from '../../postgres/database.ts';
import type { Statement, StatementResult } from '../../postgres/exchange.ts';
import { outboxMissing, outboxNotMigrated } from '../../postgres/outbox.ts';
import { decodeRows, type DecodedRow } from '../../postgres/result-decoder.ts';

/** What events need of a database. */
export interface OutboxDatabase {
  readonly name: string;
  query(statement: Statement, call: Call, safety: Safety): Promise<StatementResult>;
}

/** A subscriber's name, as its stream has it until a newer one comes. */
export interface Subscribed {
  readonly epoch: string;
  /** Of the event that was acknowledged last; 0 for none. */
  readonly cursor: string;
}

/** What one look has found. */
export interface Batch {
  readonly events: readonly Event[];
  /** Where the next one goes on. */
  readonly upto: string;
  /** There is something behind it. */
  readonly more: boolean;
}

export type AckOutcome = 'acked' | 'unknown' | 'not sent';

const sqlOf = (name: string): string => readFileSync(new URL(name, import.meta.url), 'utf8');
const subscribeSql = sqlOf('subscribe.sql');
const readSql = sqlOf('read.sql');
const ackSql = sqlOf('ack.sql');
const cleanSql = sqlOf('clean.sql');

/** A slow consumer has so much waiting here, and the least that is one event. */
const mostRows = 100;
const mostBytes = 262_144;

/** Of each statement here, the last run stands. */
const repeatable: Safety = { idempotent: true };
const taken = 'HF010';
const mostTries = 5;

/** The outbox of one database, by the functions of schema `holdfast`. Holds no state. */
export class OutboxStore {
  readonly #database: OutboxDatabase;

  constructor(database: OutboxDatabase) {
    this.#database = database;
  }

  /** Rejects with MIGRATION_REQUIRED, or with what keeps the database from answering; so do all of these. */
  async subscribe(
    name: string,
    topics: readonly string[],
    fromNow: boolean,
    call: Call,
  ): Promise<Subscribed> {
    const list = topics.length === 0 ? null : arrayOf(topics);
    const [row] = await this.#ask(subscribeSql, [name, list, `${fromNow}`], call);
    return { epoch: row?.[0] ?? '', cursor: row?.[1] ?? '0' };
  }

  /** The next events behind `after`. Rejects with SUBSCRIBER_TAKEN when a newer stream has the name. */
  async read(name: string, epoch: string, after: string, call: Call): Promise<Batch> {
    const params = [name, epoch, after, `${mostRows}`, `${mostBytes}`];
    const rows = await this.#ask(readSql, params, call);
    const [upto, , , newest] = rows.at(-1) ?? [];
    return {
      events: rows.slice(0, -1).map(eventOf),
      upto: upto ?? after,
      more: BigInt(upto ?? 0) < BigInt(newest ?? 0),
    };
  }

  async ack(name: string, cursor: string, call: Call): Promise<AckOutcome> {
    const [row] = await this.#ask(ackSql, [name, cursor], call);
    return row?.[0] as AckOutcome;
  }

  /** Deletes a part of what nobody needs any more. `upto` is where to go on; undefined when the rest is too young. */
  async clean(
    after: string,
    retentionMs: number,
    call: Call,
  ): Promise<{ readonly deleted: number; readonly upto: string | undefined }> {
    const [row] = await this.#ask(cleanSql, [after, `${retentionMs}`], call);
    return { deleted: Number(row?.[0] ?? 0), upto: row?.[1] ?? undefined };
  }

  async #ask(
    sql: string,
    params: readonly (string | null)[],
    call: Call,
  ): Promise<readonly DecodedRow[]> {
    for (let tries = 1; ; tries += 1) {
      try {
        return decodeRows(await this.#database.query({ sql, params }, call, repeatable));
      } catch (thrown) {
        const error = HoldfastError.from(thrown);
        // Where the database makes everything REPEATABLE READ, two who look at once may get into each other's way.
        if (tries < mostTries && error.reason === 'SERIALIZATION_FAILURE') continue;
        throw this.#failure(error);
      }
    }
  }

  #failure(error: HoldfastError): HoldfastError {
    const { name } = this.#database;
    if (outboxMissing(error)) return outboxNotMigrated(name, error);
    if (error.metadata['sqlstate'] === taken) return subscriberTaken(name);
    if (error.reason !== 'COMMIT_UNKNOWN') return error;
    return new HoldfastError(
      'unavailable',
      'DATABASE_UNAVAILABLE',
      `the database of pool "${name}" broke off before it answered`,
      { target: name, cause: error, retryAfterMs: 100 },
    );
  }
}

const eventOf = ([cursor, topic, key, seq, atUs, payload]: DecodedRow): Event => ({
  cursor: cursor ?? '0',
  topic: topic ?? '',
  key: key ?? '',
  seq: seq ?? '0',
  atUs: atUs ?? '0',
  payload: Buffer.from(payload ?? '', 'base64'),
});

const subscriberTaken = (pool: string): HoldfastError =>
  new HoldfastError(
    'conflict',
    'SUBSCRIBER_TAKEN',
    'a newer stream has this subscriber, or its row was deleted',
    { target: pool },
  );

/** An array as PostgreSQL reads it. */
const arrayOf = (items: readonly string[]): string =>
  `{${items.map((item) => `"${item.replaceAll(/["\\]/g, String.raw`\$&`)}"`).join(',')}}`;

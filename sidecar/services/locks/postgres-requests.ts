import { HoldfastError } from '../../../platform/errors.ts';
import type { Statement } from '../../postgres/exchange.ts';
import type { DecodedRow } from '../../postgres/result-decoder.ts';
import { textArray } from '../../postgres/text-array.ts';
import type { Claim, LockMode, LockReading } from './authority.ts';

/** What a request for a lock says beside the claim. */
interface Asking {
  /** Channel of this sidecar. */
  readonly channel: string;
  /** Of the session that listens there; undefined while there is none: then it does not wait. */
  readonly ticket: number | undefined;
  readonly waits: boolean;
  /** That it had in the queue. */
  readonly place: string | undefined;
  readonly longestTtlMs: number;
}

/** The answer to it. */
export type Answer =
  | { readonly kind: 'granted'; readonly token: bigint; readonly pendingMs: number }
  | {
      readonly kind: 'queued' | 'held';
      readonly place: string | undefined;
      readonly lookInMs: number;
      readonly waiting: number;
    }
  | { readonly kind: 'settling'; readonly place: string | undefined; readonly lookInMs: number }
  | { readonly kind: 'other' | 'full' };

type Cell = string | number | boolean | undefined;
const statement = (sql: string, ...params: readonly Cell[]): Statement => ({
  sql,
  params: params.map((each) => (each === undefined ? null : `${each}`)),
});

const acquireSql =
  'select outcome, token, place, look_in_ms, waiting, pending_ms from holdfast.lock_acquire($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)';
const renewSql =
  'select held from unnest(holdfast.lock_renew($1, $2, $3, $4)) with ordinality as r (held, at) order by at';
const releaseSql = 'select held, pending_ms from holdfast.lock_release($1, $2, $3)';
const cancelSql = 'select holdfast.lock_cancel($1, $2)';
const lookSql = 'select holdfast.lock_look($1)';
const forceSql = 'select holders, pending_ms from holdfast.lock_force($1)';
const listSql =
  'select name, mode, waiting, owner, token, expires_in_ms, grants from holdfast.lock_list($1, $2)';

export const acquireStatement = (claim: Claim, asking: Asking): Statement =>
  statement(
    acquireSql,
    claim.name,
    claim.mode,
    claim.permits,
    claim.leaseId,
    claim.owner,
    claim.ttlMs,
    asking.channel,
    asking.ticket ?? 0,
    asking.waits && asking.ticket !== undefined,
    asking.place,
    asking.longestTtlMs,
  );

export function readAnswer([outcome, token, place, lookIn, waiting, pending]: DecodedRow): Answer {
  const lookInMs = Number(lookIn);
  switch (outcome) {
    case 'granted':
      return { kind: 'granted', token: BigInt(token ?? 0), pendingMs: Number(pending) };
    case 'queued':
    case 'held':
      return { kind: outcome, place: place ?? undefined, lookInMs, waiting: Number(waiting) };
    case 'settling':
      return { kind: outcome, place: place ?? undefined, lookInMs };
    default:
      return { kind: outcome === 'other' ? 'other' : 'full' };
  }
}

/** Answers with a row for each claim, in their order: whether it is held. */
export const renewStatement = (claims: readonly Claim[]): Statement =>
  statement(
    renewSql,
    textArray(claims.map(({ name }) => name)),
    textArray(claims.map(({ owner }) => owner)),
    textArray(claims.map(({ leaseId }) => leaseId)),
    textArray(claims.map(({ ttlMs }) => `${ttlMs}`)),
  );

export const releaseStatement = ({ name, owner, leaseId }: Claim): Statement =>
  statement(releaseSql, name, owner, leaseId);
export const cancelStatement = (name: string, leaseId: string): Statement =>
  statement(cancelSql, name, leaseId);
export const lookStatement = (name: string): Statement => statement(lookSql, name);
export const forceStatement = (name: string): Statement => statement(forceSql, name);
export const listStatement = (prefix: string, limit: number): Statement =>
  statement(listSql, prefix, limit);

/** A row for each holder; a lock that is only waited for has one without. */
export function readList(rows: readonly DecodedRow[]): readonly LockReading[] {
  const readings: { -readonly [Key in keyof LockReading]: LockReading[Key] }[] = [];
  for (const [name, mode, waiting, owner, token, expiresIn, grants] of rows) {
    let reading = readings.at(-1);
    if (reading?.name !== name) {
      reading = {
        name: name ?? '',
        mode: mode as LockMode,
        holders: [],
        waiting: Number(waiting),
      };
      readings.push(reading);
    }
    if (owner === null || reading === undefined) continue;
    const expiresInMs = Math.max(0, Number(expiresIn));
    const holder = {
      owner: owner ?? '',
      token: BigInt(token ?? 0),
      expiresInMs,
      count: Number(grants),
    };
    reading.holders = [...reading.holders, holder];
  }
  return readings;
}

/** What is told on the channel of a sidecar. */
export type LockNews =
  | { readonly kind: 'woken'; readonly leaseId: string; readonly name: string }
  | { readonly kind: 'look'; readonly inMs: number; readonly name: string }
  | { readonly kind: 'forced'; readonly name: string };

/** Undefined for what this build does not know. */
export function readNews(payload: string): LockNews | undefined {
  const [, kind, word = '', name = ''] = /^(?:([wn]) (\S+)|f) (.*)$/s.exec(payload) ?? [];
  if (name === '') return undefined;
  if (kind === 'w') return { kind: 'woken', leaseId: word, name };
  if (kind === 'n') return { kind: 'look', inMs: Number(word), name };
  return { kind: 'forced', name };
}

/** What a failure of the database means to somebody who asks for a lock. */
export function lockError(thrown: unknown, pool: string): HoldfastError {
  const error = HoldfastError.from(thrown);
  const sqlstate = error.metadata['sqlstate'] ?? '';
  if (missing.has(sqlstate)) {
    return new HoldfastError(
      'precondition',
      'MIGRATION_REQUIRED',
      `locks need the tables and functions of schema holdfast, which the database of pool "${pool}" does not have or does not let this role use: run \`holdfast migrate\``,
      { target: pool, cause: error },
    );
  }
  if (sqlstate === 'HF002') {
    return new HoldfastError(
      'precondition',
      'LOCK_UNSUPPORTED',
      `the database of pool "${pool}" cannot grant locks: default_transaction_isolation of the role or the database must be "read committed"`,
      { target: pool },
    );
  }
  if (error.reason !== 'COMMIT_UNKNOWN') return error;
  return new HoldfastError(
    'unavailable',
    'DATABASE_UNAVAILABLE',
    `the database of pool "${pool}", which grants locks, broke off before it answered`,
    { target: pool, cause: error, retryAfterMs: 100 },
  );
}

export const locksSettlingAfterPromotion = (leftMs: number, pool: string): HoldfastError =>
  new HoldfastError(
    'unavailable',
    'LOCKS_SETTLING',
    `the database of pool "${pool}" was promoted, and may have lost locks that were granted before: it grants none until they must have ended`,
    { target: pool, retryAfterMs: leftMs },
  );

/** No such function, table or schema; no right to it. */
const missing: ReadonlySet<string> = new Set(['42883', '42P01', '3F000', '42501']);

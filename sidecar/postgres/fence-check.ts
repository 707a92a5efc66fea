import { HoldfastError } from '../../platform/errors.ts';
import { controlStatement } from './control-statement.ts';
import type { ExchangeFailure, Step } from './exchange.ts';
import { databaseError } from './sqlstate.ts';
import { textArray } from './text-array.ts';

export type FenceMode = 'exclusive' | 'shared';

/** What the holder of a lock has drawn at the database that the lock protects. */
export interface Fence {
  /** 1 to 200 bytes, none of them 0. */
  readonly lock: string;
  readonly mode: FenceMode;
  readonly value: bigint;
}

const check = controlStatement('SELECT holdfast.check_fences($1, $2, $3)');

/** Letters of rows and parameters. */
export const letterOf = { exclusive: 'x', shared: 's' } as const satisfies Record<
  FenceMode,
  string
>;

/** Fails unless all of these are the newest of their locks; none newer can come then before the transaction ends. Each lock once. */
export function checkFences(fences: readonly Fence[]): Step {
  // In one order for all, so that no two wait for each other.
  const ordered = fences.toSorted((a, b) =>
    Buffer.compare(Buffer.from(a.lock), Buffer.from(b.lock)),
  );
  return {
    ...check,
    params: [
      textArray(ordered.map(({ lock }) => lock)),
      textArray(ordered.map(({ mode }) => letterOf[mode])),
      textArray(ordered.map(({ value }) => `${value}`)),
    ],
  };
}

export const isFenceCheck = ({ profile }: Step): boolean => profile === check.profile;

/** What a failed check means to the transaction; undefined when something else stopped it, like the end of its call. */
export function fenceError({ fields }: ExchangeFailure, pool: string): HoldfastError | undefined {
  const sqlstate = fields?.['C'] ?? '';
  if (fenceSchemaMissing(sqlstate)) return fencesNotMigrated(pool);
  // A raise that came in between: whether by a newer holder, only a newer snapshot tells.
  return fields !== undefined && (sqlstate === 'HF001' || sqlstate === '40001')
    ? databaseError(fields, pool)
    : undefined;
}

/** No such function, table or schema; no right to it. */
export const fenceSchemaMissing = (sqlstate: string): boolean =>
  sqlstate === '42883' || sqlstate === '42P01' || sqlstate === '3F000' || sqlstate === '42501';

export const fencesNotMigrated = (pool: string, cause?: unknown): HoldfastError =>
  new HoldfastError(
    'precondition',
    'MIGRATION_REQUIRED',
    `a fence needs the functions of schema holdfast, which the database of pool "${pool}" does not have or does not let this role use: run \`holdfast migrate\``,
    { target: pool, cause },
  );

/** PostgreSQL locks no rows in a transaction that only reads. */
export const fencedReadOnly = (pool: string): HoldfastError =>
  new HoldfastError(
    'invalid',
    'INVALID_REQUEST',
    'a transaction under a lock cannot be READ ONLY',
    {
      target: pool,
    },
  );

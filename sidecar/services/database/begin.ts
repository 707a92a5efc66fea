import type { Begin__Output } from '../../../platform/gen/holdfast/v1/Begin.ts';
import type { HoldfastError } from '../../../platform/errors.ts';
import type { DatabaseOptions } from '../../postgres/database.ts';
import type { BeginOptions, Isolation } from '../../postgres/begin-statement.ts';
import type { Fence } from '../../postgres/fence-check.ts';
import { commitIdOf } from './commit-id.ts';
import { invalid } from './statement-values.ts';

const isolations: Readonly<Record<Begin__Output['isolation'], Isolation>> = {
  ISOLATION_UNSPECIFIED: 'default',
  ISOLATION_READ_COMMITTED: 'read committed',
  ISOLATION_REPEATABLE_READ: 'repeatable read',
  ISOLATION_SERIALIZABLE: 'serializable',
};

/** What a Begin asks for, within what the pool allows. Throws INVALID_REQUEST. */
export function beginOptions(
  { isolation, readOnly, deferrable, timeoutMs, idleTimeoutMs, commitId }: Begin__Output,
  limits: DatabaseOptions,
  fences: readonly Fence[],
  onAborted: (reason: HoldfastError) => void,
): BeginOptions {
  const level = isolations[isolation] as Isolation | undefined;
  if (level === undefined) throw invalid('isolation has a value that this sidecar does not know');
  if (deferrable && !(readOnly && level === 'serializable')) {
    throw invalid(
      'deferrable needs read_only and ISOLATION_SERIALIZABLE: elsewhere it does nothing',
    );
  }
  if (readOnly && commitId !== '') {
    throw invalid('commit_id with read_only: there is nothing to commit');
  }
  return {
    ...commitIdOf(commitId),
    ...(fences.length === 0 ? {} : { fences }),
    isolation: level,
    readOnly,
    deferrable,
    timeoutMs: within(timeoutMs, limits.transactionTimeoutMs, 'timeout_ms', 'transactionTimeoutMs'),
    idleTimeoutMs: within(
      idleTimeoutMs,
      limits.idleInTransactionTimeoutMs,
      'idle_timeout_ms',
      'idleInTransactionTimeoutMs',
    ),
    onAborted,
  };
}

function within(asked: number, most: number, field: string, setting: string): number {
  if (asked > most) {
    throw invalid(`${field} is ${asked}, more than the pool's ${setting} (${most})`);
  }
  return asked === 0 ? most : asked;
}

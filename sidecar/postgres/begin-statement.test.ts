import { expect, test } from 'vitest';
import { beginStatement, type BeginOptions } from './begin-statement.ts';

const begin = (modes: Partial<BeginOptions> = {}): string =>
  beginStatement({
    isolation: 'default',
    readOnly: false,
    deferrable: false,
    timeoutMs: 1,
    idleTimeoutMs: 1,
    onAborted: () => {},
    ...modes,
  }).profile.sql;

test.each([
  [{}, 'BEGIN'],
  [{ isolation: 'read committed' }, 'BEGIN ISOLATION LEVEL READ COMMITTED'],
  [{ isolation: 'repeatable read' }, 'BEGIN ISOLATION LEVEL REPEATABLE READ'],
  [{ isolation: 'serializable' }, 'BEGIN ISOLATION LEVEL SERIALIZABLE'],
  [{ readOnly: true }, 'BEGIN READ ONLY'],
  [
    { isolation: 'serializable', readOnly: true, deferrable: true },
    'BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY DEFERRABLE',
  ],
] as const)('%j is %s', (modes, sql) => {
  expect(begin(modes)).toBe(sql);
});

test('the same modes give the same step, which connections know again, and which is not refused', () => {
  const options = {
    isolation: 'serializable',
    readOnly: true,
    deferrable: false,
    timeoutMs: 1,
    idleTimeoutMs: 1,
    onAborted: () => {},
  } as const;
  const step = beginStatement(options);
  expect(beginStatement({ ...options, timeoutMs: 2 })).toBe(step);
  expect(beginStatement({ ...options, readOnly: false })).not.toBe(step);
  expect(step).toMatchObject({ params: [], profile: { refusal: undefined, uses: 1 } });
});

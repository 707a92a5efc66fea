import { expect, test } from 'vitest';
import { beginStatement, type BeginOptions, openingSteps } from './begin-statement.ts';

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

test('fences are checked behind BEGIN and before the mark, in byte order, whatever the order they are given in', () => {
  const options = { isolation: 'default', readOnly: false, deferrable: false } as const;
  const limits = { timeoutMs: 1, idleTimeoutMs: 1, onAborted: () => {} };
  const fences = [
    { lock: 'ü', mode: 'shared', value: 3n },
    { lock: 'a "b" \\', mode: 'exclusive', value: 12_345_678_901_234_567n },
    { lock: '\u{1f600}', mode: 'exclusive', value: 1n },
    { lock: '\uffee', mode: 'exclusive', value: 2n },
  ] as const;
  const steps = openingSteps({ ...options, ...limits, fences, commitId: 'c' });
  expect(steps.map(({ profile, params }) => [profile.sql.split(' ')[0], ...params])).toEqual([
    ['BEGIN'],
    [
      'SELECT',
      String.raw`{"a \"b\" \\","ü","\uffee","\u{1f600}"}`.replaceAll(
        /\\u\{?([\da-f]+)\}?/g,
        (_, hex: string) => String.fromCodePoint(Number.parseInt(hex, 16)),
      ),
      '{"x","s","x","x"}',
      '{"12345678901234567","3","2","1"}',
    ],
    ['INSERT', 'c'],
  ]);
});

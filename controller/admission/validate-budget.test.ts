import { expect, test } from 'vitest';
import { apiVersion } from '../../crds/resilience-policy.ts';
import { budgetValidation } from './validate-budget.ts';

const entries = (length: number, floor: number): object[] =>
  Array.from({ length }, (_, index) => ({ pod: `p${index}`, address: '', boot: 1, floor }));

const ask = (spec: object, status?: object, more: object = {}) =>
  budgetValidation(
    {
      uid: '1',
      operation: 'UPDATE',
      userInfo: { username: 'dora' },
      object: {
        apiVersion,
        kind: 'ConnectionBudget',
        metadata: { name: 'main' },
        spec: { namespaces: { names: ['shop'] }, ...spec },
        status,
      },
      ...more,
    },
    new AbortController().signal,
  );

test.each([
  ['a budget that fits', { total: 100 }, { sessions: 90 }, []],
  [
    'fewer sessions than are open',
    { total: 50, reserve: 10 },
    { sessions: 60 },
    ['total - reserve is 40, and 60 sessions are open: they drain, and no pod gets more meanwhile'],
  ],
  [
    'less than twice the floors that are given',
    { total: 50 },
    { ledger: { version: 1, epoch: 1, entries: entries(30, 1) } },
    [
      'floors of 30 sidecars are 30 sessions, more than half of total - reserve (50): new pods get none',
    ],
  ],
  [
    'a floor that nobody can have',
    { total: 10, floor: 6 },
    undefined,
    ['floor is 6, more than half of total - reserve (10): not even one pod gets it'],
  ],
])('%s', async (_title, spec, status, warnings) => {
  expect(await ask(spec, status)).toEqual({ allowed: true, warnings });
});

test('a budget that cannot be read is refused by field', async () => {
  expect(await ask({ total: 5, reserve: 5 })).toMatchObject({
    allowed: false,
    refusal: { code: 422, message: 'spec.reserve must be less than total (5)' },
  });
});

test('one that an older schema took loses its finalizers all the same', async () => {
  const spec = { namespaces: { names: ['shop'] }, total: 5, reserve: 5 };
  expect(await ask(spec, undefined, { oldObject: { spec } })).toEqual({
    allowed: true,
    warnings: [],
  });
  const oldObject = { spec: { ...spec, total: 6 } };
  expect(await ask(spec, undefined, { oldObject })).toMatchObject({ allowed: false });
});

test('a budget may get its name from the API server', async () => {
  const object = {
    apiVersion,
    kind: 'ConnectionBudget',
    metadata: { generateName: 'main-' },
    spec: { namespaces: { names: ['shop'] }, total: 5 },
  };
  expect(await ask({}, undefined, { operation: 'CREATE', object })).toMatchObject({
    allowed: true,
  });
});

import { expect, test } from 'vitest';
import { failureOf } from './answer-failure.ts';

const later = { name: 'retry-after', value: '2' };

test.each([
  [200, [], undefined, undefined],
  [204, [later], undefined, undefined],
  [302, [], undefined, undefined],
  [401, [], undefined, undefined],
  [404, [], undefined, undefined],
  [408, [], undefined, undefined],
  [429, [], 'exhausted', undefined],
  [429, [later], 'exhausted', 2_000],
  [500, [], 'internal', undefined],
  [501, [], 'internal', undefined],
  [502, [], 'unavailable', undefined],
  [503, [], 'unavailable', undefined],
  [503, [later], 'exhausted', 2_000],
  [504, [], 'unavailable', undefined],
  [505, [], 'internal', undefined],
  [599, [], 'internal', undefined],
])('HTTP %i with %j is %s', (status, headers, kind, retryAfterMs) => {
  const failure = failureOf({ status, headers }, 'the answer', 0);
  expect(failure?.kind).toBe(kind);
  expect(failure?.retryAfterMs).toBe(retryAfterMs);
});

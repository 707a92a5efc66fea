import fc from 'fast-check';
import { expect, test } from 'vitest';
import { TestClock } from '../../../platform/test-clock.ts';
import type { StoredAnswer } from './answer.ts';
import type { CheckedRequest } from './checks.ts';
import { StaleAnswers } from './stale-answers.ts';

const request = (path: string, more: Partial<CheckedRequest> = {}): CheckedRequest => ({
  method: 'GET',
  path,
  headers: [],
  body: Buffer.alloc(0),
  isIdempotent: true,
  cost: { key: '', amount: undefined, header: '' },
  ...more,
});

const answer = (bytes = 10, status = 200): StoredAnswer => ({
  status,
  headers: [],
  body: Buffer.alloc(bytes),
});

const limits = { maxAgeMs: 1_000, maxEntries: 3, maxBytes: 100_000 };

test('an answer is found until it is too old', async () => {
  const clock = new TestClock();
  const stale = new StaleAnswers(limits, clock);
  stale.keep(request('/a'), answer());
  await clock.advance(1_000);
  expect(stale.find(request('/a'))).toEqual(answer());
  await clock.advance(1);
  expect(stale.find(request('/a'))).toBeUndefined();
  expect([stale.size, stale.bytes]).toEqual([0, 0]);
});

test('the one that was used longest ago goes first', () => {
  const stale = new StaleAnswers(limits, new TestClock());
  for (const path of ['/a', '/b', '/c']) stale.keep(request(path), answer());
  stale.find(request('/a'));
  stale.keep(request('/d'), answer());
  const found = ['/a', '/b', '/c', '/d'].filter((path) => stale.find(request(path)));
  expect(found).toEqual(['/a', '/c', '/d']);
});

test('the order of headers of different names does not matter, that of values does', () => {
  const stale = new StaleAnswers(limits, new TestClock());
  const [a, b, b2] = [
    { name: 'a', value: '1' },
    { name: 'b', value: '1' },
    { name: 'b', value: '2' },
  ] as const;
  stale.keep(request('/', { headers: [a, b, b2] }), answer());
  expect(stale.find(request('/', { headers: [b, a, b2] }))).toBeDefined();
  expect(stale.find(request('/', { headers: [a, b2, b] }))).toBeUndefined();
  expect(stale.find(request('/', { headers: [a, b] }))).toBeUndefined();
});

test.each([
  ['POST', request('/', { method: 'POST' }), answer()],
  ['a request with a body', request('/', { body: Buffer.from('x') }), answer()],
  ['404', request('/'), answer(10, 404)],
  ['a redirect', request('/'), answer(10, 302)],
  ['an answer that is too large by itself', request('/'), answer(100_001)],
])('%s is not kept', (_what, request, answer) => {
  const stale = new StaleAnswers(limits, new TestClock());
  stale.keep(request, answer);
  expect([stale.size, stale.bytes]).toEqual([0, 0]);
});

test('smaller limits drop what does not fit any more', () => {
  const stale = new StaleAnswers(limits, new TestClock());
  for (const path of ['/a', '/b', '/c']) stale.keep(request(path), answer());
  stale.configure({ ...limits, maxEntries: 1 });
  expect(stale.size).toBe(1);
  expect(stale.find(request('/c'))).toBeDefined();
});

test('never more entries or bytes than allowed, whatever is kept and found', () => {
  const step = fc.record({
    path: fc.constantFrom('/a', '/b', '/c', '/d', '/e'),
    bytes: fc.nat(2_000),
    find: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const bounds = { maxAgeMs: 1_000, maxEntries: 3, maxBytes: 3_000 };
      const stale = new StaleAnswers(bounds, new TestClock());
      for (const { path, bytes, find } of steps) {
        if (find) stale.find(request(path));
        else stale.keep(request(path), answer(bytes));
        expect(stale.size).toBeLessThanOrEqual(3);
        expect(stale.bytes).toBeLessThanOrEqual(3_000);
        expect(stale.bytes >= 0 && stale.size * 200 <= stale.bytes).toBe(true);
      }
    }),
    { numRuns: 200 },
  );
});

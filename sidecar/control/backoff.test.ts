import { expect, test } from 'vitest';
import { Backoff } from './backoff.ts';

test('waits are drawn under a ceiling that doubles from 200 ms to 10 s, and begin anew', () => {
  const highest = new Backoff(() => 1);
  const waits = Array.from({ length: 9 }, () => highest.nextMs());
  expect(waits).toEqual([200, 400, 800, 1_600, 3_200, 6_400, 10_000, 10_000, 10_000]);
  highest.reset();
  expect(highest.nextMs()).toBe(200);
  const lowest = new Backoff(() => 0);
  expect([lowest.nextMs(), lowest.nextMs()]).toEqual([0, 0]);
});

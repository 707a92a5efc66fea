import { expect, test } from 'vitest';
import { retryAfterMs } from './retry-after.ts';

const noon = Date.UTC(2026, 10, 21, 12, 0, 0);

test.each([
  ['0', 0],
  [' 7 ', 7_000],
  ['999999999', 86_400_000],
  ['Sat, 21 Nov 2026 12:00:05 GMT', 5_000],
  ['Saturday, 21-Nov-26 12:00:05 GMT', 5_000],
  ['Sat, 21 Nov 2026 11:00:00 GMT', 0],
  ['Sat, 21 Nov 2027 12:00:00 GMT', 86_400_000],
  ['-1', undefined],
  ['1.5', undefined],
  ['soon', undefined],
  ['', undefined],
])('Retry-After: %s', (value, expected) => {
  expect(retryAfterMs([{ name: 'retry-after', value }], noon)).toBe(expected);
});

test('a date is measured against the clock of the server that wrote it', () => {
  const headers = [
    { name: 'date', value: 'Sat, 21 Nov 2026 15:00:00 GMT' },
    { name: 'retry-after', value: 'Sat, 21 Nov 2026 15:00:02 GMT' },
  ];
  expect(retryAfterMs(headers, noon)).toBe(2_000);
});

test('without the header there is none', () => {
  expect(retryAfterMs([], noon)).toBeUndefined();
});

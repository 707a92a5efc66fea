import { createRequire } from 'node:module';
import { expect, test } from 'vitest';
import { Deadlines } from '../../platform/deadlines.ts';
import { TestClock } from '../../platform/test-clock.ts';
import { HttpPool } from './http-pool.ts';

const clock = new TestClock();

const loaded = (): string[] =>
  Object.keys(createRequire(import.meta.url).cache).filter((path) => path.includes('/undici/'));

test('nothing of undici takes memory before there is an upstream', async () => {
  expect(loaded()).toEqual([]);
  const pool = new HttpPool(
    {
      name: 'api',
      baseUrl: 'http://127.0.0.1:1',
      headers: [],
      http2: true,
      maxConnections: 1,
      connectTimeoutMs: 1_000,
      idleTimeoutMs: 1_000,
      maxResponseBytes: 1_024,
    },
    { clock, deadlines: new Deadlines(clock) },
  );
  expect(loaded()).not.toEqual([]);
  // The package as a whole is not.
  expect(loaded().some((path) => path.endsWith('/undici/index.js'))).toBe(false);
  await pool.destroy();
});

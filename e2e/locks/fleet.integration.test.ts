import { expect, test } from 'vitest';
import { runFleet } from './fleet-run.ts';

test.each(['Redis', 'Postgres'] as const)(
  '3 sidecar processes with 8 clients each over %s, killed, stopped and cut off at random: locks keep out whom they have to, and no update is lost',
  { timeout: 180_000 },
  async (authority) => {
    const seed = Number(process.env['HOLDFAST_LOCKS_SEED'] ?? Math.floor(Math.random() * 2 ** 30));
    console.log(`fleet over ${authority}, HOLDFAST_LOCKS_SEED=${seed}`);
    const sizes = { sidecars: 3, clients: 8, locks: 3, ttlMs: 500, forMs: 10_000 };
    const verdict = await runFleet({ authority, seed, ...sizes });
    console.log(verdict);
    expect(verdict.broken).toEqual([]);
    expect(verdict.grants).toBeGreaterThan(60);
    expect(verdict.commits).toBeGreaterThan(30);
  },
);

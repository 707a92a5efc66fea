import { expect, test } from 'vitest';
import { runFleet } from './fleet-run.ts';

test.each(['Redis', 'Postgres'] as const)(
  '8 sidecar processes with 50 clients each over %s, killed, stopped and cut off at random: locks keep out whom they have to, and no update is lost',
  { timeout: 600_000 },
  async (authority) => {
    const seed = Number(process.env['HOLDFAST_LOCKS_SEED'] ?? Math.floor(Math.random() * 2 ** 30));
    console.log(`fleet over ${authority}, HOLDFAST_LOCKS_SEED=${seed}`);
    const sizes = { sidecars: 8, clients: 50, locks: 16, ttlMs: 1_000, forMs: 60_000 };
    const verdict = await runFleet({ authority, seed, ...sizes });
    console.log(verdict);
    expect(verdict.broken).toEqual([]);
    expect(verdict.grants).toBeGreaterThan(500);
    expect(verdict.losses).toBeGreaterThan(10);
    expect(verdict.commits).toBeGreaterThan(200);
  },
);

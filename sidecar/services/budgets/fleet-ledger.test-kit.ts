import type { Client } from 'pg';
import type { CostSettings, Micros } from '../../resilience/cost-ledger.ts';
import { aCall } from '../../resilience/ledger-call.test-kit.ts';
import { FleetLedger, type LedgerDatabase } from './fleet-ledger.ts';

export const day = 86_400_000;

/** What a ledger told. */
export interface Told {
  charged: number;
  overshot: number;
  expired: number;
  warned: number;
}

/** The books of target `llm` in a namespace, and short ways to use them. */
export function fleetBooks(
  database: LedgerDatabase,
  namespace: string,
  more: Partial<CostSettings> = {},
) {
  const told: Told = { charged: 0, overshot: 0, expired: 0, warned: 0 };
  const settings = { limit: 100, windowMs: day, warnAt: 0.8, ...more };
  const ledger = new FleetLedger(settings, {
    namespace,
    kind: 'Guard',
    target: 'llm',
    pool: 'default',
    database: () => database,
    events: {
      charged: (amount) => (told.charged += amount),
      overshot: (amount) => (told.overshot += amount),
      expired: (amount) => (told.expired += amount),
      warned: () => (told.warned += 1),
    },
  });
  return {
    ledger,
    told,
    reserve: (id: string, amount: Micros, { key = 'k', ttlMs = 60_000 } = {}) =>
      ledger.reserve({ id, key, amount, ttlMs }, aCall()),
    settle: (id: string, actual?: Micros) => ledger.settle(id, actual, aCall()),
    release: (id: string) => ledger.release(id, aCall()),
    account: async (key = 'k') => {
      const { settled, reserved, overshoot } = await ledger.account(key, aCall());
      return { settled, reserved, overshoot };
    },
  };
}

/** Lets time pass for the books of a namespace, by making them older; not what has ended, which would be forgotten. */
export async function makeOlder(direct: Client, namespace: string, ms: number): Promise<void> {
  const older = `interval '1 millisecond' * ${ms}`;
  await direct.query(
    `update holdfast.cost_reservations set expires_at = expires_at - ${older} where namespace = $1`,
    [namespace],
  );
  if (ms % day !== 0) return;
  await direct.query(
    `update holdfast.cost_windows set starts_at = starts_at - ${older}, ends_at = ends_at - ${older} where namespace = $1`,
    [namespace],
  );
}

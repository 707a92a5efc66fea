import fc from 'fast-check';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { testDatabase, type TestDatabase } from '../../../scripts/servers/test-database.ts';
import { openDatabase, type TestPool } from '../../postgres/database.test-kit.ts';
import { histories, judge, LedgerModel } from '../../resilience/ledger-model.test-kit.ts';
import { day, fleetBooks, makeOlder } from './fleet-ledger.test-kit.ts';

let database: TestDatabase;
let pool: TestPool;
let direct: pg.Client;

beforeAll(async () => {
  database = await testDatabase();
  pool = openDatabase(database.url);
  direct = new pg.Client(database.url);
  await direct.connect();
});

afterAll(async () => {
  await direct.end();
  await pool.close();
  await database.drop();
});

test('answers and accounts are those of the model, and settled + reserved is never above the limit, in any history', async () => {
  let run = 0;
  const minute = 60_000;
  await fc.assert(
    fc.asyncProperty(
      histories([minute, 9 * minute, day], [minute, 10 * minute, 2 * day], 25),
      async (events) => {
        run += 1;
        const namespace = `run-${run}`;
        const { ledger } = fleetBooks(pool.database, namespace);
        const model = new LedgerModel({ limit: 100, windowMs: day, warnAt: 0.8 }, 10 * day);
        for (const event of events) {
          if (event.kind === 'pass') {
            await makeOlder(direct, namespace, event.ms);
            model.nowMs += event.ms;
          }
          expect(await judge(event, ledger, model)).toEqual([]);
        }
      },
    ),
    { numRuns: 100 },
  );
});

import { afterAll, beforeAll, expect, test } from 'vitest';
import { testDatabase, type TestDatabase } from '../scripts/servers/test-database.ts';
import { BudgetBed, budgetedPool } from './budgeted-sidecar.test-kit.ts';

let server: TestDatabase;
beforeAll(async () => {
  server = await testDatabase();
});
afterAll(() => server.drop());

const soon = { interval: 20, timeout: 20_000 };

test('the session that listens counts, is opened only beside one for calls, and is the first to be cut', async () => {
  await using bed = await BudgetBed.open(server.url, 1);
  await bed.role.client.query('grant usage on schema holdfast to public');
  await bed.role.client.query('grant all on all tables in schema holdfast to public');
  bed.books.leaseMs = 2_000;
  const { holdfast } = await bed.start(budgetedPool());
  const db = holdfast.database();
  await db.query('select 1');
  const stop = new AbortController();
  const subscribed = (async () => {
    const events = holdfast.events().subscribe({ subscriber: 's', signal: stop.signal });
    for await (const event of events) void event;
  })().catch(() => {});
  await expect.poll(() => bed.books.last?.demand, soon).toBe(2);
  expect(await bed.role.sessions()).toHaveLength(1);

  bed.books.share = 2;
  // Also where the pool has both, and uses one of them now and then.
  await Promise.all([db.query('select pg_sleep(0.2)'), db.query('select pg_sleep(0.2)')]);
  const listening = async () => {
    const { rows } = await bed.role.client.query(
      `select from pg_stat_activity where datname = current_database() and query like 'LISTEN%'`,
    );
    return rows.length;
  };
  await expect.poll(listening, soon).toBe(1);
  const long = db.transaction((tx) => tx.query('select pg_sleep(4)'));
  bed.books.share = undefined;
  await expect.poll(bed.role.sessions, soon).toHaveLength(1);
  await long;
  stop.abort();
  await subscribed;
});

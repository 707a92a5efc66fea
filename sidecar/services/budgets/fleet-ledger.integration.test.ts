import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { testDatabase, type TestDatabase } from '../../../scripts/servers/test-database.ts';
import {
  beside,
  openDatabase,
  rejection,
  type TestPool,
} from '../../postgres/database.test-kit.ts';
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

const count = async (table: string, where: string): Promise<number> => {
  const { rows } = await direct.query<{ n: string }>(
    `select count(*) as n from holdfast.${table} where ${where}`,
  );
  return Number(rows[0]?.n);
};

test('twenty at once: as many as fit, and all of it exact', async () => {
  const { reserve, account, settle } = fleetBooks(pool.database, 'many', { limit: 1_000_000 });
  const all = await Promise.allSettled(
    Array.from({ length: 20 }, (_, index) => reserve(`${index}`, 300_000)),
  );
  const granted = all.flatMap((each) => (each.status === 'fulfilled' ? [each.value.id] : []));
  expect(granted).toHaveLength(3);
  expect(await account()).toEqual({ settled: 0, reserved: 900_000, overshoot: 0 });
  await Promise.all(granted.map((id) => settle(id, 100_000)));
  expect(await account()).toEqual({ settled: 300_000, reserved: 0, overshoot: 0 });
  const error = await rejection(reserve('one more', 700_001));
  expect(error).toMatchObject({
    reason: 'COST_BUDGET_EXCEEDED',
    target: 'llm',
    metadata: { limit: '1', settled: '0.3', reserved: '0', overshoot: '0' },
  });
  expect(error.retryAfterMs).toBeGreaterThan(0);
  expect(error.retryAfterMs).toBeLessThanOrEqual(day);
});

test('who asks while another one is being noted waits for him, and is refused', async () => {
  const { reserve } = fleetBooks(pool.database, 'turns');
  await reserve('first', 0);
  await direct.query('begin');
  await direct.query(
    `select holdfast.cost_reserve('turns', 'Guard/llm', 'k', ${day}, 'a', 90, 60000, 100, 80)`,
  );
  const second = rejection(reserve('b', 30));
  await sleep(100);
  await direct.query('commit');
  expect((await second).metadata).toMatchObject({ reserved: '0.00009' });
});

test('the same request ten times at once is one reservation, and one settlement', async () => {
  const { reserve, settle, account, told } = fleetBooks(pool.database, 'same');
  const ten = <T>(work: () => Promise<T>): Promise<T[]> =>
    Promise.all(Array.from({ length: 10 }, work));
  for (const { amount } of await ten(() => reserve('a', 60))) expect(amount).toBe(60);
  expect(await account()).toEqual({ settled: 0, reserved: 60, overshoot: 0 });
  expect(new Set(await ten(() => settle('a', 70)))).toEqual(new Set([10]));
  expect(await account()).toEqual({ settled: 60, reserved: 0, overshoot: 10 });
  expect(told).toEqual({ charged: 60, overshot: 10, expired: 0, warned: 0 });
});

test('a request whose first try is still under way in the window before is the same reservation', async () => {
  const { reserve, account } = fleetBooks(pool.database, 'edge', { windowMs: 1_000 });
  await direct.query('begin');
  const { rows } = await direct.query<{ outcome: string }>(
    `select outcome from holdfast.cost_reserve('edge', 'Guard/llm', 'k', 1000, 'a', 60, 60000, 100, 80)`,
  );
  expect(rows[0]?.outcome).toBe('reserved');
  // Past the end of its window.
  await sleep(1_050);
  const again = reserve('a', 60);
  await sleep(100);
  await direct.query('commit');
  expect((await again).amount).toBe(60);
  expect(await account()).toEqual({ settled: 0, reserved: 0, overshoot: 0 });
  expect(await count('cost_reservations', `namespace = 'edge'`)).toBe(1);
});

test('who waited for his turn beyond the end of the window is counted in the next one', async () => {
  const { reserve } = fleetBooks(pool.database, 'late', { windowMs: 1_000 });
  await reserve('a', 100);
  await direct.query('begin');
  const { rows } = await direct.query<{ ms: string }>(
    `select greatest(0, extract(epoch from max(ends_at) - clock_timestamp()) * 1000) as ms
     from holdfast.cost_windows where namespace = 'late'`,
  );
  await direct.query(
    `select from holdfast.cost_windows where namespace = 'late' order by ends_at desc limit 1 for update`,
  );
  const waiting = reserve('b', 100);
  await sleep(Number(rows[0]?.ms) + 50);
  await direct.query('commit');
  expect((await waiting).account).toMatchObject({ reserved: 100 });
});

test('what nobody settles is charged by whoever comes next, and told', async () => {
  const { reserve, settle, told, account } = fleetBooks(pool.database, 'expired');
  await reserve('a', 30, { ttlMs: 20 });
  await reserve('b', 20, { ttlMs: 20, key: 'other' });
  await sleep(40);
  expect(await account()).toEqual({ settled: 30, reserved: 0, overshoot: 0 });
  expect((await rejection(settle('a', 1))).reason).toBe('UNKNOWN_RESERVATION');
  await reserve('c', 1, { key: 'third' });
  expect(told).toEqual({ charged: 0, overshot: 0, expired: 50, warned: 0 });
  expect(await count('cost_windows', `namespace = 'expired' and settled + reserved > 0`)).toBe(3);
  expect(await count('cost_reservations', `namespace = 'expired' and state = 'open'`)).toBe(1);
});

test('a warning comes once a window, to one of all', async () => {
  const one = fleetBooks(pool.database, 'warned');
  const two = fleetBooks(pool.database, 'warned');
  await one.reserve('a', 70);
  await Promise.all([one.reserve('b', 10), two.reserve('c', 1), two.reserve('d', 5)]);
  await two.settle('a', 75);
  expect(one.told.warned + two.told.warned).toBe(1);
});

test('targets, namespaces and keys are apart, and a new limit holds at once', async () => {
  const one = fleetBooks(pool.database, 'apart-1');
  const two = fleetBooks(pool.database, 'apart-2');
  await one.reserve('a', 100);
  await one.reserve('b', 100, { key: '' });
  await two.reserve('a', 100);
  expect((await rejection(one.reserve('a', 100, { key: 'x' }))).reason).toBe('INVALID_REQUEST');
  expect((await rejection(one.reserve('c', 1))).reason).toBe('COST_BUDGET_EXCEEDED');
  one.ledger.configure({ limit: 101, windowMs: day, warnAt: 1 });
  await one.reserve('c', 1);
});

test('what was put aside survives a crash of the server, also where commits do not wait for the disk', async () => {
  const shown = async (wanted: string): Promise<unknown> => {
    await direct.query(`begin; set local synchronous_commit = ${wanted}`);
    await direct.query(
      `select holdfast.cost_reserve('crash', 'Guard/llm', 'k', ${day}, '${wanted}', 1, 60000, 100, 80)`,
    );
    const { rows } = await direct.query<{ synchronous_commit: string }>('show synchronous_commit');
    await direct.query('commit');
    return rows[0]?.synchronous_commit;
  };
  expect([await shown('off'), await shown('remote_apply')]).toEqual(['on', 'remote_apply']);
});

test('old rows go as new ones come', async () => {
  const { reserve, settle, release } = fleetBooks(pool.database, 'old');
  for (let call = 0; call < 12; call += 1) {
    await reserve(`${call}`, 1, { key: `${call}` });
    if (call % 2 === 0) await settle(`${call}`, 1);
    else await release(`${call}`);
  }
  await makeOlder(direct, 'old', 2 * day);
  await direct.query(
    `update holdfast.cost_reservations set ended_at = ended_at - interval '11 minutes' where namespace = 'old'`,
  );
  for (let call = 0; call < 6; call += 1) await reserve(`new ${call}`, 1, { key: `${call}` });
  expect(await count('cost_reservations', `namespace = 'old'`)).toBe(6);
  expect(await count('cost_windows', `namespace = 'old'`)).toBe(6);
});

test('a role that may do nothing in the database may use the books, and not touch their tables', async () => {
  await direct.query(
    `drop role if exists books; create role books login password 'books'; grant connect on database ${direct.database ?? ''} to books`,
  );
  const url = new URL(database.url);
  url.username = 'books';
  url.password = 'books';
  const theirs = openDatabase(url.href);
  try {
    const { reserve, settle } = fleetBooks(theirs.database, 'role');
    await reserve('a', 60);
    expect(await settle('a', 70)).toBe(10);
    for (const table of ['cost_windows', 'cost_reservations']) {
      await expect(
        beside(url.href, (client) => client.query(`select from holdfast.${table}`)),
      ).rejects.toThrow('permission denied');
    }
  } finally {
    await theirs.close();
    await direct.query(`drop owned by books; drop role books`);
  }
});

test('a database without the tables says that it needs them, and one that is gone fails clearly: nothing is granted', async () => {
  const bare = await testDatabase();
  const other = openDatabase(bare.url);
  const { reserve, account, settle } = fleetBooks(other.database, 'bare');
  await beside(bare.url, (client) => client.query('drop schema holdfast cascade'));
  for (const ask of [() => reserve('a', 1), () => account(), () => settle('a')]) {
    await expect(ask()).rejects.toMatchObject({ reason: 'MIGRATION_REQUIRED', target: 'default' });
  }
  await bare.drop();
  const error = await rejection(reserve('a', 1));
  expect(error.kind).toMatch(/unavailable|precondition|not-found/);
  expect(error.target).toBe('default');
  await other.close();
});

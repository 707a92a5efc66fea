import { Client } from 'pg';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { connect, type Holdfast } from '../../../clients/typescript/index.ts';
import { testDatabase, type TestDatabase } from '../../../scripts/servers/test-database.ts';
import { startSidecar, type TestSidecar } from '../../sidecar.test-kit.ts';
import { StockEvents } from './stock-events.test-kit.ts';

let server: TestDatabase;
let client: Client;
let one: TestSidecar;
let other: TestSidecar;
let holdfast: Holdfast;

beforeAll(async () => {
  server = await testDatabase();
  client = new Client(server.url);
  await client.connect();
  [one, other] = await Promise.all([
    startSidecar({ databaseUrl: server.url }),
    startSidecar({ databaseUrl: server.url }),
  ]);
  holdfast = connect({ address: one.address });
});
afterAll(async () => {
  await holdfast.close();
  await Promise.all([one.stop(), other.stop()]);
  await client.end();
  await server.drop();
});
beforeEach(() =>
  client.query('truncate holdfast.outbox, holdfast.outbox_keys, holdfast.outbox_subscribers'),
);

const commit = (payload: string): Promise<void> =>
  holdfast
    .database()
    .transaction((tx) => tx.commit({ events: [{ topic: 't', key: 'k', payload }] }));
const subscribed = (): Promise<void> =>
  expect
    .poll(async () => (await client.query('select from holdfast.outbox_subscribers')).rowCount)
    .toBe(1);
const listeners = async (): Promise<readonly number[]> => {
  const { rows } = await client.query<{ pid: number }>(
    `select pid from pg_stat_activity where query like 'LISTEN%' and datname = current_database()`,
  );
  return rows.map(({ pid }) => pid);
};

test('a subscriber of another sidecar hears of a commit at once', async () => {
  using events = new StockEvents(other.address);
  const subscription = events.subscribe('mail');
  await subscribed();
  await expect.poll(listeners).not.toEqual([]);
  const tookMs: number[] = [];
  for (let nth = 0; nth < 20; nth += 1) {
    await commit(`${nth}`);
    const committedAtMs = performance.now();
    await expect.poll(() => subscription.events.length, { interval: 1 }).toBe(nth + 1);
    tookMs.push((subscription.atMs[nth] ?? 0) - committedAtMs);
  }
  // By looking once a second alone the median would be half of one.
  expect(tookMs.toSorted((a, b) => a - b)[10]).toBeLessThan(100);
});

test('two subscribers who are woken by the same commit both have it at once', async () => {
  using events = new StockEvents(other.address);
  const both = [events.subscribe('first'), events.subscribe('second')];
  await expect
    .poll(async () => (await client.query('select from holdfast.outbox_subscribers')).rowCount)
    .toBe(2);
  const tookMs: number[] = [];
  for (let nth = 0; nth < 20; nth += 1) {
    await commit(`${nth}`);
    const committedAtMs = performance.now();
    for (const { events: got } of both) {
      await expect.poll(() => got.length, { interval: 1 }).toBe(nth + 1);
    }
    tookMs.push(performance.now() - committedAtMs);
  }
  expect(tookMs.toSorted((a, b) => a - b)[10]).toBeLessThan(100);
});

test('while the session that listens is gone it looks once a second, and hears again when it is back', async () => {
  using events = new StockEvents(other.address);
  const subscription = events.subscribe('mail');
  await subscribed();
  await expect.poll(listeners).not.toEqual([]);
  await client.query('select pg_terminate_backend(pid) from unnest($1::int[]) as pid', [
    await listeners(),
  ]);
  await commit('1');
  await expect.poll(() => subscription.payloads, { timeout: 2_500 }).toEqual(['1']);
  await expect.poll(listeners, { timeout: 5_000 }).not.toEqual([]);
  await commit('2');
  await expect.poll(() => subscription.payloads).toEqual(['1', '2']);
});

test('a database whose transactions are all REPEATABLE READ serves its subscribers, too', async () => {
  const strict = await testDatabase();
  const url = new URL(strict.url);
  await client.query(
    `alter database ${url.pathname.slice(1)} set default_transaction_isolation to 'repeatable read'`,
  );
  const sidecar = await startSidecar({ databaseUrl: strict.url });
  await using writer = connect({ address: sidecar.address });
  using events = new StockEvents(sidecar.address);
  const all = ['a', 'b', 'c', 'd'].map((name) => events.subscribe(name));
  const lane = async (of: number): Promise<void> => {
    for (let nth = 0; nth < 40; nth += 1) {
      await writer.database().transaction(async (tx) => {
        await tx.query('select count(*) from holdfast.commits');
        await tx.commit({ events: [{ topic: 't', key: 'k', payload: `${of} ${nth}` }] });
      });
    }
  };
  await Promise.all([0, 1, 2, 3].map(lane));
  for (const { events: got } of all) {
    await expect.poll(() => got.length, { timeout: 5_000 }).toBe(160);
    expect(got.map(({ seq }) => Number(seq))).toEqual(got.map((_, index) => index + 1));
  }
  await writer.close();
  await sidecar.stop();
  await strict.drop();
});

test('nobody listens where nobody subscribes', async () => {
  await commit('1');
  await expect.poll(listeners).toEqual([]);
});

test('a sidecar that stops ends its streams, and says so', async () => {
  const third = await startSidecar({ databaseUrl: server.url });
  using events = new StockEvents(third.address);
  const { failure } = events.subscribe('mail');
  await subscribed();
  const startedAtMs = performance.now();
  await third.stop();
  expect(await failure).toMatchObject({ reason: 'DRAINING' });
  expect(performance.now() - startedAtMs).toBeLessThan(2_000);
});

import { Client } from 'pg';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../../../platform/clock.ts';
import { testDatabase, type TestDatabase } from '../../../scripts/servers/test-database.ts';
import { aCall, openDatabase, type TestPool } from '../../postgres/database.test-kit.ts';
import { OutboxReader } from '../../postgres/outbox.test-kit.ts';
import { Retention } from './retention.ts';

const day = 24 * 3_600_000;

let server: TestDatabase;
let client: Client;
let pool: TestPool;

beforeAll(async () => {
  server = await testDatabase();
  client = new Client(server.url);
  await client.connect();
  pool = openDatabase(server.url, { pool: { max: 2 } });
});
afterAll(async () => {
  await pool.close();
  await client.end();
  await server.drop();
});
beforeEach(() =>
  client.query('truncate holdfast.outbox, holdfast.outbox_keys, holdfast.outbox_subscribers'),
);

/** Events of a topic, all of them numbered, that were written so long ago. */
async function written(count: number, topic: string, agoMs: number): Promise<void> {
  await client.query(
    `select holdfast.outbox_append(array_fill($1::text, array[$2::int]), array_fill(''::text, array[$2::int]), array_fill(''::bytea, array[$2::int]))`,
    [topic, count],
  );
  await client.query('select holdfast.outbox_place() from generate_series(1, 10)');
  await client.query(
    `update holdfast.outbox set at = now() - $1 * interval '1 ms' where topic = $2`,
    [agoMs, topic],
  );
}
const left = async (): Promise<Record<string, number>> => {
  const { rows } = await client.query<{ topic: string; count: string }>(
    'select topic, count(*) from holdfast.outbox group by topic order by topic',
  );
  return Object.fromEntries(rows.map(({ topic, count }) => [topic, Number(count)]));
};

/** Once through; returns how many were deleted. */
async function clean(): Promise<number> {
  let deleted = 0;
  const retention = new Retention({
    clock: systemClock,
    random: () => 0,
    databases: () => [pool.database],
    retentionMs: day,
    onDeleted: (_, count) => (deleted += count),
  });
  await retention.clean();
  retention.close();
  return deleted;
}

test('what is older than the retention goes when there are no subscribers, in steps; what is younger stays', async () => {
  await written(2_500, 'old', day + 1_000);
  await written(10, 'young', day - 60_000);
  expect(await clean()).toBe(2_500);
  expect(await left()).toEqual({ young: 10 });
});

test('what a subscriber has not dealt with stays, until it has', async () => {
  await written(3, 'old', 2 * day);
  const reader = await new OutboxReader(client, 'slow').begin();
  const events = await reader.look();
  expect(await clean()).toBe(0);
  await reader.ack(events[1]?.pos ?? 0);
  expect(await clean()).toBe(2);
  expect(await left()).toEqual({ old: 1 });
});

test('a subscriber to one topic holds nothing of another, even behind more than a step of its own', async () => {
  await new OutboxReader(client, 'picky').begin(['wanted']);
  await written(1_500, 'wanted', 2 * day);
  await written(20, 'other', 2 * day);
  expect(await clean()).toBe(20);
  expect(await left()).toEqual({ wanted: 1_500 });
});

test('a subscriber that nobody has seen for 30 days holds nothing any more', async () => {
  await new OutboxReader(client, 'gone').begin();
  await written(3, 'old', 2 * day);
  const seen = (days: number) =>
    client.query(`update holdfast.outbox_subscribers set seen_at = now() - $1 * interval '1 day'`, [
      days,
    ]);
  await seen(29);
  expect(await clean()).toBe(0);
  await seen(31);
  expect(await clean()).toBe(3);
});

test('a stream that only looks is seen', async () => {
  const reader = await new OutboxReader(client, 'idle').begin();
  await client.query(`update holdfast.outbox_subscribers set seen_at = now() - interval '2 hours'`);
  await reader.look();
  const { rows } = await client.query<{ recent: boolean }>(
    `select seen_at > now() - interval '1 minute' as recent from holdfast.outbox_subscribers`,
  );
  expect(rows).toEqual([{ recent: true }]);
});

test('what comes after everything was deleted goes on counting: no cursor and no seq is given twice', async () => {
  await written(2, 'old', 2 * day);
  const reader = await new OutboxReader(client, 'first').begin();
  const before = await reader.look();
  await reader.ack(before[1]?.pos ?? 0);
  expect(await clean()).toBe(2);
  await written(1, 'old', 0);
  const [after] = await reader.look();
  expect(after?.pos).toBeGreaterThan(before[1]?.pos ?? 0);
  expect(after?.seq).toBe(3);
});

test('several at once do no harm', async () => {
  await written(3_000, 'old', 2 * day);
  const deleted = await Promise.all([clean(), clean()]);
  expect(deleted[0] + deleted[1]).toBeLessThanOrEqual(3_000);
  await clean();
  expect(await left()).toEqual({});
});

test('a database without the schema is left alone', async () => {
  const bare = await testDatabase();
  const without = openDatabase(bare.url, { pool: { max: 1 } });
  await without.database.query({ sql: 'drop schema holdfast cascade', params: [] }, aCall());
  const retention = new Retention({
    clock: systemClock,
    random: () => 0,
    databases: () => [without.database],
    retentionMs: day,
    onDeleted: () => {},
  });
  await expect(retention.clean()).resolves.toBeUndefined();
  retention.close();
  await without.close();
  await bare.drop();
});

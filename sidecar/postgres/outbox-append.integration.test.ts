import { Client } from 'pg';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { testDatabase, type TestDatabase } from '../../scripts/servers/test-database.ts';
import type { Isolation } from './begin-statement.ts';
import { Connection } from './connection.ts';
import {
  aCall,
  beside,
  openDatabase,
  plainBegin,
  rejection,
  type TestPool,
} from './database.test-kit.ts';
import { event, OutboxReader } from './outbox.test-kit.ts';
import type { OutboxEvent } from './outbox.ts';

let server: TestDatabase;
let pool: TestPool;
let client: Client;
let reader: OutboxReader;

beforeAll(async () => {
  server = await testDatabase();
  client = new Client(server.url);
  await client.connect();
  await client.query(
    'create table work (id int primary key); create table late (id int unique deferrable initially deferred)',
  );
  pool = openDatabase(server.url, { pool: { max: 4 } });
});
afterAll(async () => {
  await pool.close();
  await client.end();
  await server.drop();
});
beforeEach(async () => {
  await client.query(
    'truncate work, late, holdfast.outbox, holdfast.outbox_keys, holdfast.outbox_subscribers',
  );
  reader = await new OutboxReader(client, 'test').begin();
});

const insert = (id: number, table = 'work') => ({
  sql: `insert into ${table} values ($1)`,
  params: [`${id}`],
});
const payloads = async (): Promise<readonly string[]> =>
  (await reader.look()).map(({ payload }) => payload);
const rows = async (): Promise<number> =>
  Number((await client.query<{ count: string }>('select count(*) from work')).rows[0]?.count);

test('events of a transaction are there with it, numbered by key', async () => {
  const transaction = pool.database.begin(plainBegin, aCall());
  await transaction.query(insert(1), aCall());
  await transaction.commit(aCall(), [event('a', '1'), event('b', '2'), event('a', '3')]);
  expect(await reader.look()).toMatchObject([
    { topic: 't', key: 'a', seq: 1, payload: '1' },
    { topic: 't', key: 'b', seq: 1, payload: '2' },
    { topic: 't', key: 'a', seq: 2, payload: '3' },
  ]);
});

test('a transaction may have events and nothing else', async () => {
  await pool.database.begin(plainBegin, aCall()).commit(aCall(), [event('a', '1')]);
  expect(await payloads()).toEqual(['1']);
});

test('an atomic batch has its events, too', async () => {
  await pool.database.atomicBatch([insert(1)], aCall(), { events: [event('a', '1')] });
  expect(await payloads()).toEqual(['1']);
  const again = pool.database.atomicBatch([insert(1)], aCall(), { events: [event('a', '2')] });
  expect(await rejection(again)).toMatchObject({ kind: 'already-exists' });
  expect(await payloads()).toEqual([]);
});

test('what is rolled back has none: a failed statement, a constraint that is checked at COMMIT', async () => {
  const failed = pool.database.begin(plainBegin, aCall());
  await failed.query({ sql: 'select 1/0', params: [] }, aCall()).catch(() => {});
  const first = failed.commit(aCall(), [event('a', '1')]);
  expect(await rejection(first)).toMatchObject({ reason: 'TRANSACTION_ROLLED_BACK' });

  const checked = pool.database.begin(plainBegin, aCall());
  await checked.query(insert(1, 'late'), aCall());
  await checked.query(insert(1, 'late'), aCall());
  const second = checked.commit(aCall(), [event('a', '2')]);
  expect(await rejection(second)).toMatchObject({ kind: 'already-exists' });
  expect(await payloads()).toEqual([]);
  await expect.poll(() => pool.database.pool.counts.lent).toBe(0);
});

test('they travel with COMMIT, in no round trip of their own once the transaction has written', async () => {
  const submit = vi.spyOn(Connection.prototype, 'submit');
  const transaction = pool.database.begin(plainBegin, aCall());
  await transaction.query(insert(1), aCall());
  submit.mockClear();
  await transaction.commit(aCall(), [event('a', '1')]);
  const [exchange] = submit.mock.calls[0] ?? [];
  expect(exchange?.steps.map(({ profile }) => profile.sql)).toEqual([
    'SELECT holdfast.outbox_append($1, $2, $3)',
    'COMMIT',
  ]);
  submit.mockRestore();
});

const isolations: readonly Isolation[] = ['read committed', 'repeatable read', 'serializable'];
test.each(isolations)(
  '%s: an event of the same key that was committed meanwhile is no conflict',
  async (isolation) => {
    const transaction = pool.database.begin({ ...plainBegin, isolation }, aCall());
    await transaction.query({ sql: 'select count(*) from work', params: [] }, aCall());
    await pool.database.begin(plainBegin, aCall()).commit(aCall(), [event('a', 'first')]);
    expect(await payloads()).toEqual(['first']);
    await transaction.query(insert(1), aCall());
    await transaction.commit(aCall(), [event('a', 'second')]);
    expect(await reader.look()).toMatchObject([{ seq: 2, payload: 'second' }]);
  },
);

test('a thousand keys at once, beside others of few keys: nobody waits for ever, the server keeps its locks', async () => {
  const many = Array.from({ length: 1_000 }, (_, index) => event(`k${index}`, 'x'));
  await Promise.all(
    Array.from({ length: 24 }, (_, nth) =>
      pool.database
        .begin(plainBegin, aCall())
        .commit(aCall(), nth % 6 === 0 ? many.toReversed() : [event(`k${nth}`, 'y')]),
    ),
  );
  let count = 0;
  for (let got = await reader.look(1_000); got.length > 0; got = await reader.look(1_000)) {
    count += got.length;
  }
  expect(count).toBe(4 * 1_000 + 20);
});

test('1 MiB of any bytes comes through', async () => {
  const payload = Buffer.alloc(1_048_576, 0xfe);
  const transaction = pool.database.begin(plainBegin, aCall());
  await transaction.commit(aCall(), [{ topic: 'ü'.repeat(100), key: '', payload }]);
  const { rows: found } = await client.query<{ topic: string; payload: Buffer }>(
    'select topic, payload from holdfast.outbox',
  );
  expect(found[0]?.topic).toBe('ü'.repeat(100));
  expect(found[0]?.payload.equals(payload)).toBe(true);
});

const refused: readonly (readonly [string, readonly OutboxEvent[]])[] = [
  ['1,001 events', Array.from({ length: 1_001 }, () => event('a', ''))],
  ['an empty topic', [event('a', '', '')]],
  ['a topic of 202 bytes', [event('a', '', 'ü'.repeat(101))]],
  ['a topic with a 0 in it', [event('a', '', 'a\0')]],
  ['a key of 201 bytes', [event('a'.repeat(201), '')]],
  ['a key with a 0 in it', [event('\0', '')]],
  ['a payload above 1 MiB', [{ ...event('a', ''), payload: Buffer.alloc(1_048_577) }]],
];
test.each(refused)('%s: the commit is refused and everything rolled back', async (_, events) => {
  const transaction = pool.database.begin(plainBegin, aCall());
  await transaction.query(insert(1), aCall());
  const committed = transaction.commit(aCall(), events);
  expect(await rejection(committed)).toMatchObject({ reason: 'INVALID_REQUEST' });
  await expect.poll(() => pool.database.pool.counts.lent).toBe(0);
  expect(await rows()).toBe(0);
});

test('READ ONLY has no events', async () => {
  const transaction = pool.database.begin({ ...plainBegin, readOnly: true }, aCall());
  const committed = transaction.commit(aCall(), [event('a', '1')]);
  expect(await rejection(committed)).toMatchObject({ reason: 'INVALID_REQUEST' });
});

test('a database without the schema: MIGRATION_REQUIRED, rolled back, and the connection serves on', async () => {
  const bare = await testDatabase();
  await beside(bare.url, (each) =>
    each.query('drop schema holdfast cascade; create table work (id int)'),
  );
  const without = openDatabase(bare.url, { pool: { max: 1 } });
  for (const writes of [true, false]) {
    const transaction = without.database.begin(plainBegin, aCall());
    if (writes) await transaction.query(insert(1), aCall());
    const committed = transaction.commit(aCall(), [event('a', '1')]);
    expect(await rejection(committed)).toMatchObject({ reason: 'MIGRATION_REQUIRED' });
    await without.database.query(insert(2), aCall());
  }
  await beside(bare.url, async (each) => {
    const { rows: left } = await each.query('select id from work order by id');
    expect(left).toEqual([{ id: 2 }, { id: 2 }]);
  });
  await without.close();
  await bare.drop();
});

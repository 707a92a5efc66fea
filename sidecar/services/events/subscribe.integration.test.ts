import { Client } from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { testDatabase, type TestDatabase } from '../../../scripts/servers/test-database.ts';
import { rejection } from '../../postgres/database.test-kit.ts';
import { startSidecar, type TestSidecar } from '../../sidecar.test-kit.ts';
import { append } from '../../postgres/outbox.test-kit.ts';
import { StockEvents } from './stock-events.test-kit.ts';

let server: TestDatabase;
let one: TestSidecar;
let other: TestSidecar;
let client: Client;
let events: StockEvents;

beforeAll(async () => {
  server = await testDatabase();
  client = new Client(server.url);
  await client.connect();
  [one, other] = await Promise.all([
    startSidecar({ databaseUrl: server.url }),
    startSidecar({ databaseUrl: server.url }),
  ]);
});
afterAll(async () => {
  await Promise.all([one.stop(), other.stop()]);
  await client.end();
  await server.drop();
});
beforeEach(async () => {
  await client.query('truncate holdfast.outbox, holdfast.outbox_keys, holdfast.outbox_subscribers');
  events = new StockEvents(one.address);
});
afterEach(() => events[Symbol.dispose]());

/** Commits one event by SQL, and wakes nobody. */
const committed = (payload: string, key = 'k'): Promise<unknown> => append(client, key, payload);
const wake = (): Promise<unknown> => client.query('notify "holdfast.events"');
const cursorOf = async (subscriber: string): Promise<number> => {
  const { rows } = await client.query<{ cursor: string }>(
    'select cursor from holdfast.outbox_subscribers where name = $1',
    [subscriber],
  );
  return Number(rows[0]?.cursor);
};

test('gets what was there, and what comes', async () => {
  await committed('1');
  const subscription = events.subscribe('mail');
  await expect.poll(() => subscription.payloads).toEqual(['1']);
  await committed('2');
  await wake();
  await expect.poll(() => subscription.payloads).toEqual(['1', '2']);
  expect(subscription.events[1]).toMatchObject({ topic: 't', key: 'k', seq: '2' });
  expect(Number(subscription.events[1]?.atUs) / 1_000).toBeCloseTo(Date.now(), -4);
});

test('without a wake it looks once a second', async () => {
  const subscription = events.subscribe('mail');
  await expect.poll(() => cursorOf('mail')).toBe(0);
  await committed('1');
  await expect.poll(() => subscription.payloads, { timeout: 2_500 }).toEqual(['1']);
});

test('what was not acknowledged comes again, with the same cursor and seq; what was does not', async () => {
  for (const payload of ['1', '2', '3']) await committed(payload);
  const first = events.subscribe('mail');
  await expect.poll(() => first.payloads).toEqual(['1', '2', '3']);
  await events.ack('mail', first.events[0]?.cursor ?? '');
  first.cancel();
  const second = events.subscribe('mail');
  await expect.poll(() => second.payloads).toEqual(['2', '3']);
  expect(second.events).toEqual(first.events.slice(1));
});

test('acknowledgements go forward only, and no further than what was sent', async () => {
  for (const payload of ['1', '2']) await committed(payload);
  const subscription = events.subscribe('mail');
  await expect.poll(() => subscription.events.length).toBe(2);
  const [first, second] = subscription.events.map(({ cursor }) => Number(cursor));
  await events.ack('mail', second ?? 0);
  await events.ack('mail', first ?? 0);
  expect(await cursorOf('mail')).toBe(second);
  const beyond = events.ack('mail', (second ?? 0) + 1);
  expect(await rejection(beyond)).toMatchObject({ reason: 'INVALID_REQUEST' });
  const most = events.ack('mail', '18446744073709551615');
  expect(await rejection(most)).toMatchObject({ reason: 'INVALID_REQUEST' });
  const stranger = events.ack('nobody', 1);
  expect(await rejection(stranger)).toMatchObject({ reason: 'INVALID_REQUEST' });
});

test('two subscribers get everything, each at its own place; topics are a choice', async () => {
  await client.query(
    `select holdfast.outbox_append('{a,b,c}', '{k,k,k}', array['1', '2', '3']::bytea[])`,
  );
  const all = events.subscribe('all');
  const some = events.subscribe('some', { topics: ['a', 'c"\\'], fromNow: false });
  await expect.poll(() => all.payloads).toEqual(['1', '2', '3']);
  await expect.poll(() => some.payloads).toEqual(['1']);
  await events.ack('all', all.events[2]?.cursor ?? '');
  expect(await cursorOf('some')).toBe(0);
});

test('a new subscriber may begin with what comes from now on', async () => {
  for (let nth = 0; nth < 1_100; nth += 100) {
    await client.query(
      `select holdfast.outbox_append(array_fill('t'::text, '{100}'), array_fill(''::text, '{100}'), array_fill('old'::bytea, '{100}'))`,
    );
  }
  const subscription = events.subscribe('late', { fromNow: true });
  await expect.poll(() => cursorOf('late')).toBeGreaterThan(0);
  await committed('new');
  await wake();
  await expect.poll(() => subscription.payloads).toEqual(['new']);
});

test('a newer stream of another sidecar takes the subscriber over; the older one ends at once', async () => {
  const older = events.subscribe('mail');
  await expect.poll(() => cursorOf('mail')).toBe(0);
  using elsewhere = new StockEvents(other.address);
  const startedAt = performance.now();
  const newer = elsewhere.subscribe('mail');
  expect(await older.failure).toMatchObject({ reason: 'SUBSCRIBER_TAKEN' });
  expect(performance.now() - startedAt).toBeLessThan(900);
  await committed('1');
  await wake();
  await expect.poll(() => newer.payloads).toEqual(['1']);
});

test('a consumer that reads nothing holds a bounded part in memory, and gets all of it when it reads', async () => {
  const payload = Buffer.alloc(65_536, 'x');
  for (let nth = 0; nth < 300; nth += 1) {
    await client.query(`select holdfast.outbox_append('{t}', '{k}', $1)`, [[payload]]);
  }
  const subscription = events.subscribe('slow', { pauses: true });
  await expect
    .poll(async () => {
      const sent = await client.query<{ sent: string }>(
        'select sent from holdfast.outbox_subscribers',
      );
      return Number(sent.rows[0]?.sent);
    })
    .toBeGreaterThan(0);
  await new Promise((resolve) => setTimeout(resolve, 500));
  const { rows } = await client.query<{ taken: string }>(
    `select count(*) as taken from holdfast.outbox o join holdfast.outbox_subscribers s on o.pos <= s.sent`,
  );
  // What gRPC and HTTP/2 keep on both sides, and one look.
  expect(Number(rows[0]?.taken)).toBeLessThan(60);
  subscription.resume();
  await expect.poll(() => subscription.events.length, { timeout: 10_000 }).toBe(300);
  expect(subscription.events.map(({ seq }) => Number(seq))).toEqual(
    Array.from({ length: 300 }, (_, index) => index + 1),
  );
});

const refused: readonly (readonly [string, string, readonly string[]])[] = [
  ['no name', '', []],
  ['a name of 101 bytes', 'x'.repeat(101), []],
  ['a name with a 0', 'a\0', []],
  ['an empty topic', 'mail', ['']],
  ['a topic of 201 bytes', 'mail', ['x'.repeat(201)]],
  ['1,001 topics', 'mail', Array.from({ length: 1_001 }, (_, index) => `t${index}`)],
];
test.each(refused)('%s is refused', async (_, subscriber, topics) => {
  const { failure } = events.subscribe(subscriber, { topics });
  expect(await failure).toMatchObject({ reason: 'INVALID_REQUEST' });
});

test('an unknown pool is told', async () => {
  const { failure } = events.subscribe('mail', { pool: 'nowhere' });
  expect(await failure).toMatchObject({ reason: 'UNKNOWN_POOL' });
});

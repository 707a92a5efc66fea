import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { Client } from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { connectTo } from '../servers/template-database.ts';
import { redisUrl, type TestDatabase, testDatabase } from '../servers/test-database.ts';
import { type FaultProxy, type ProxiedMessage, proxyTo } from './fault-proxy.ts';

/** The proxy before real servers: every fault, and nothing when there is none. */

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
  await direct('create table items (id int)');
});
afterAll(() => database.drop());
beforeEach(() => direct('truncate items'));

const direct = async (sql: string): Promise<unknown[]> =>
  (await connectTo(database.url, (client) => client.query<Record<string, unknown>>(sql))).rows;
const count = async (): Promise<number> =>
  ((await direct('select count(*)::int as n from items')) as { n: number }[])[0]?.n ?? -1;

const toPostgres = (): Promise<FaultProxy> => proxyTo(database.url);
const toRedis = (): Promise<FaultProxy> => proxyTo(redisUrl());

async function clientOf(proxy: FaultProxy): Promise<Client> {
  const client = new Client({ connectionString: proxy.through(database.url) });
  client.on('error', () => {});
  await client.connect();
  return client;
}
const insert = 'insert into items values (1)';
const isInsert = ({ from, text }: ProxiedMessage): boolean => from === 'client' && text === insert;
const isTag = ({ from, text }: ProxiedMessage): boolean =>
  from === 'server' && text === 'INSERT 0 1';

describe('without faults', () => {
  test('results come through unchanged, with and without a rule, and every message is named', async () => {
    await using proxy = await toPostgres();
    const client = await clientOf(proxy);
    const sql = "select n, repeat('x', n) as text from generate_series(1, 3000) as n";
    const expected = await direct(sql);
    expect((await client.query(sql)).rows).toEqual(expected);
    const seen: string[] = [];
    proxy.rule = ({ type, text }) => {
      seen.push(text === '' ? type : `${type} ${text}`);
      return undefined;
    };
    expect((await client.query({ name: 's', text: sql })).rows).toEqual(expected);
    expect([...new Set(seen)]).toEqual([
      `Parse ${sql}`,
      `Bind ${sql}`,
      'Describe',
      `Execute ${sql}`,
      'Sync',
      'ParseComplete',
      'BindComplete',
      'RowDescription',
      'DataRow',
      'CommandComplete SELECT 3000',
      'ReadyForQuery I',
    ]);
    await client.end();
    await vi.waitUntil(() => proxy.connections === 0);
    expect(proxy.made).toBe(1);
  });

  test('a row of 5 MiB comes through a rule', async () => {
    await using proxy = await toPostgres();
    proxy.rule = () => undefined;
    const client = await clientOf(proxy);
    const { rows } = await client.query<{ text: string }>("select repeat('é', 2621440) as text");
    expect(rows[0]?.text).toBe('é'.repeat(2_621_440));
    await client.end();
  });

  test('Redis: a pipeline, a subscription and a megabyte', async () => {
    await using proxy = await toRedis();
    const seen: string[] = [];
    proxy.rule = ({ from, type, text }) => {
      seen.push(`${from} ${type} ${text.slice(0, 30)}`);
      return undefined;
    };
    const [redis, subscriber] = [0, 1].map(() => new Redis(proxy.through(redisUrl())));
    if (redis === undefined || subscriber === undefined) throw new Error('there are two');
    const big = 'y'.repeat(2 << 20);
    await redis.set('faults:big', big);
    expect(await redis.get('faults:big')).toBe(big);
    await subscriber.subscribe('faults');
    const heard = once(subscriber, 'message');
    await redis.pipeline().incr('faults:n').publish('faults', 'hello').del('faults:n').exec();
    expect(await heard).toEqual(['faults', 'hello']);
    expect(seen).toContain('client PUBLISH faults hello');
    expect(seen).toContain('server push message faults hello');
    redis.disconnect();
    subscriber.disconnect();
  });
});

describe('a cut at a statement', () => {
  test.each([
    ['before', 0],
    ['within', 0],
    ['after', 1],
  ] as const)('%s it: the server ran it %i times', async (cut, times) => {
    await using proxy = await toPostgres();
    const client = await clientOf(proxy);
    proxy.rule = (message) => (isInsert(message) ? { cut } : undefined);
    await expect(client.query(insert)).rejects.toThrow('Connection terminated');
    await vi.waitUntil(() => proxy.connections === 0);
    if (times === 1) await vi.waitUntil(async () => (await count()) === 1);
    else await sleep(20);
    expect(await count()).toBe(times);
  });

  test.each(['before', 'within', 'after'] as const)(
    '%s the answer of the client only: the server ran it',
    async (cutClient) => {
      await using proxy = await toPostgres();
      const client = await clientOf(proxy);
      const heard: Buffer[] = [];
      const stream = (client as unknown as { connection: { stream: NodeJS.ReadableStream } })
        .connection.stream;
      stream.on('data', (bytes: Buffer) => heard.push(bytes));
      proxy.rule = (message) => (isTag(message) ? { cutClient } : undefined);
      await expect(client.query(insert)).rejects.toThrow('Connection terminated');
      const length = { before: 0, within: 8, after: 16 }[cutClient];
      expect(Buffer.concat(heard)).toEqual(
        Buffer.from('C\0\0\0\x0fINSERT 0 1\0', 'latin1').subarray(0, length),
      );
      expect(await count()).toBe(1);
      await vi.waitUntil(() => proxy.connections === 0);
    },
  );

  test('of the client only: the server gets what was said, and then the end', async () => {
    await using proxy = await toPostgres();
    const client = await clientOf(proxy);
    proxy.rule = (message) => (isInsert(message) ? { cutClient: 'after' } : undefined);
    await expect(client.query(insert)).rejects.toThrow('Connection terminated');
    await vi.waitUntil(async () => (await count()) === 1);
    await vi.waitUntil(() => proxy.connections === 0);
  });
});

test('a reset reaches the client as one', async () => {
  await using proxy = await toPostgres();
  const client = await clientOf(proxy);
  proxy.rule = (message) => (isInsert(message) ? { reset: true } : undefined);
  await expect(client.query(insert)).rejects.toMatchObject({ code: 'ECONNRESET' });
  expect(await count()).toBe(0);
});

test('a stalled connection goes on when it is released; others are not held up', async () => {
  await using proxy = await toPostgres();
  const [client, other] = [await clientOf(proxy), await clientOf(proxy)];
  proxy.rule = (message) => (isInsert(message) ? { stall: true } : undefined);
  const done = client.query(insert);
  await other.query('select 1');
  await sleep(30);
  expect(await count()).toBe(0);
  proxy.release();
  await done;
  expect(await count()).toBe(1);
  await Promise.all([client.end(), other.end()]);
});

test('stalled answers wait, on old connections and on new ones, while requests go through', async () => {
  await using proxy = await toPostgres();
  const client = await clientOf(proxy);
  proxy.stall('server');
  const done = client.query(insert);
  const late = clientOf(proxy);
  await vi.waitUntil(async () => (await count()) === 1);
  expect(await Promise.race([done, late, sleep(30, 'nothing')])).toBe('nothing');
  proxy.release();
  await done;
  await (await late).end();
  await client.end();
});

test('a stall of everything holds requests too', async () => {
  await using proxy = await toPostgres();
  const client = await clientOf(proxy);
  proxy.stall();
  const done = client.query(insert);
  await sleep(30);
  expect(await count()).toBe(0);
  proxy.release();
  await done;
  await client.end();
});

test('delayed messages keep their order, and are not early', async () => {
  await using proxy = await toPostgres();
  const client = await clientOf(proxy);
  proxy.rule = (message) => (isTag(message) ? { delayMs: 80 } : undefined);
  const from = performance.now();
  await client.query(insert);
  expect(performance.now() - from).toBeGreaterThan(75);
  await client.query('select 1');
  expect(performance.now() - from).toBeGreaterThan(150);
  await client.end();
});

test('a slow line carries so many bytes a second', async () => {
  await using proxy = await toPostgres();
  const client = await clientOf(proxy);
  proxy.slow(100_000);
  const from = performance.now();
  await client.query("select repeat('x', 20000)");
  const tookMs = performance.now() - from;
  expect(tookMs).toBeGreaterThan(150);
  expect(tookMs).toBeLessThan(1_000);
  proxy.slow(undefined);
  await client.end();
});

test('bytes in place of a message: the server says that it does not know them', async () => {
  await using proxy = await toPostgres();
  const client = await clientOf(proxy);
  proxy.rule = ({ type, bytes }) =>
    type === 'Query'
      ? { instead: Buffer.from(bytes.toString('latin1').replace('BEGIN', 'BEGIM'), 'latin1') }
      : undefined;
  await expect(client.query('BEGIN')).rejects.toThrow('syntax error');
  await client.end();
});

test('cut, shut and opened again on the same port', async () => {
  await using proxy = await toRedis();
  const { port } = proxy;
  const socket = connect(port, '127.0.0.1').on('error', () => {});
  await vi.waitUntil(() => proxy.connections === 1);
  proxy.cut();
  await once(socket, 'close');
  await proxy.shut();
  const [refused] = (await once(connect(port, '127.0.0.1'), 'error')) as [NodeJS.ErrnoException];
  expect(refused.code).toBe('ECONNREFUSED');
  await proxy.reopen();
  expect(proxy.port).toBe(port);
  const redis = new Redis(proxy.through(redisUrl()));
  expect(await redis.ping()).toBe('PONG');
  redis.disconnect();
});

test('a client that is gone ends its connection to the server, and the other way round', async () => {
  await using proxy = await toPostgres();
  const client = await clientOf(proxy);
  const [row] = (await client.query<{ pid: number }>('select pg_backend_pid() as pid')).rows;
  await direct(`select pg_terminate_backend(${row?.pid})`);
  await vi.waitFor(() => expect(proxy.connections).toBe(0));
  const other = await clientOf(proxy);
  await other.end();
  await vi.waitUntil(() => proxy.connections === 0);
});

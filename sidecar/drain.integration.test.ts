import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { connect } from '../clients/typescript/index.ts';
import { redisUrl, testDatabase, type TestDatabase } from '../scripts/servers/test-database.ts';
import { failing } from './grpc/failure.test-kit.ts';
import { RawSession } from './grpc/raw-session.test-kit.ts';
import { eventually, TestBed } from './grpc/test-bed.test-kit.ts';

let database: TestDatabase;
let bed: TestBed;

beforeEach(async () => {
  database = await testDatabase();
  bed = await TestBed.open(database.url);
  await bed.sql('create table items (id int primary key)');
});
afterEach(async () => {
  await bed[Symbol.asyncDispose]();
  await database.drop();
});

const slow = { sql: 'select pg_sleep(0.3)' };

test('calls under way when the sidecar stops get their answers', async () => {
  const session = await bed.session();
  const stock = bed.stock();
  session.send({ id: 1, query: slow });
  const unary = stock.query(slow);
  await sleep(100);
  const stopping = bed.sidecar.app.stop(5_000);
  expect(await session.answer(1)).toMatchObject({ kind: 'query' });
  expect((await unary).command).toBe('SELECT');
  expect((await session.ended).status).toBe('OK');
  await stopping;
});

test('transactions that are open when the sidecar stops can be committed, on every transport', async () => {
  const session = await bed.session();
  const transaction = bed.stock().transaction();
  const insert = (id: number) => ({ query: { sql: `insert into items values (${id})` } });
  await transaction.ask({ begin: {} });
  await transaction.ask(insert(1));
  session.send({ id: 1, transactionId: 1, begin: {} }, { id: 2, transactionId: 1, ...insert(2) });
  await session.answers(1, 2);
  const stopping = bed.sidecar.app.stop(5_000);
  await sleep(100);
  expect((await transaction.ask(insert(3))).response).toBe('query');
  expect((await transaction.ask({ commit: {} })).response).toBe('committed');
  transaction.halfClose();
  expect((await session.ask({ transactionId: 1, commit: {} })).kind).toBe('commit');
  await stopping;
  expect(await bed.count('items')).toBe(3);
});

test('a call to Redis that waits gets its answer, too', async () => {
  await using withRedis = await TestBed.open(database.url, { redisUrl: redisUrl() });
  const session = await withRedis.session();
  const args = ['BLPOP', 'drain-nothing', '1.5'].map((word) => Buffer.from(word));
  session.send({ id: 1, command: { args } });
  await sleep(100);
  const stopping = withRedis.sidecar.app.stop(5_000);
  expect((await session.answer(1)).kind).toBe('command');
  await stopping;
});

test('a subscription, which has no end, is ended at once and told why', async () => {
  await using withRedis = await TestBed.open(database.url, { redisUrl: redisUrl() });
  await using holdfast = connect({ address: withRedis.sidecar.address });
  const events = holdfast.redis().subscribe({ channels: ['drain'] });
  expect((await events.next()).value).toEqual({ type: 'subscribed' });
  const next = Promise.allSettled([events.next()]);
  const fromMs = performance.now();
  const stopping = withRedis.sidecar.app.stop(5_000);
  expect(await next).toMatchObject([{ reason: { reason: 'DRAINING' } }]);
  await stopping;
  expect(performance.now() - fromMs).toBeLessThan(1_500);
});

test('a session that is idle does not hold up the stop', async () => {
  await bed.session();
  const startedMs = performance.now();
  await bed.sidecar.app.stop(5_000);
  expect(performance.now() - startedMs).toBeLessThan(1_000);
});

describe('while calls under way finish', () => {
  const draining = { status: 'UNAVAILABLE', reason: 'DRAINING' };

  test('new ones are refused on every transport, and the probe says so', async () => {
    const session = await bed.session();
    const stock = bed.stock();
    session.send({ id: 1, query: { sql: 'select pg_sleep(1)' } });
    await stock.query({ sql: 'select 1' });
    const ready = () => fetch(`http://127.0.0.1:${bed.sidecar.app.httpPort}/readyz`);
    expect((await ready()).status).toBe(200);
    const stopping = bed.sidecar.app.stop(10_000);
    const probe = await ready();
    expect([probe.status, await probe.text()]).toEqual([503, 'not serving\n']);
    expect(await failing(stock.query({ sql: 'select 2' }))).toMatchObject(draining);
    const stream = stock.stream({ query: { sql: 'select 3' } });
    expect(await failing(stream.toArray())).toMatchObject(draining);
    const transaction = stock.transaction();
    transaction.send({ begin: {} });
    expect(await transaction.ended).toMatchObject(draining);
    expect((await session.ask({ query: { sql: 'select 4' } })).failure).toMatchObject(draining);
    expect((await session.ask({ transactionId: 9, begin: {} })).failure).toMatchObject(draining);
    using late = new RawSession(bed.sidecar.address);
    expect(await late.ended).toMatchObject(draining);
    expect((await session.answer(1)).kind).toBe('query');
    await stopping;
  });

  test('sessions are told at once, and how long they have', async () => {
    const session = await bed.session();
    session.send({ id: 1, query: slow });
    await sleep(100);
    const stopping = bed.sidecar.app.stop(5_000);
    const told = await session.until(() => session.frames.find((each) => each.draining));
    expect(told).toMatchObject({ id: 0, draining: { graceMs: 5_000 } });
    expect(session.frames.some(({ id }) => id === 1)).toBe(false);
    await session.answer(1);
    await stopping;
  });
});

describe('the grace period', () => {
  test.each([
    ['a session that runs a statement', 'session'],
    ['a stream that nobody reads', 'stream'],
    ['a transaction that nobody ends', 'transaction'],
    ['a session whose transaction nobody ends', 'begin'],
  ])('is kept, whoever holds on: %s; nothing stays on the server', async (_, holder) => {
    const session = await bed.session();
    const stock = bed.stock();
    if (holder === 'session') session.send({ id: 1, query: { sql: 'select pg_sleep(60)' } });
    if (holder === 'begin') await session.ask({ transactionId: 1, begin: {} });
    if (holder === 'transaction') await stock.transaction().ask({ begin: {} });
    if (holder === 'stream') {
      const sql = "select repeat('x', 10000) from generate_series(1, 100000)";
      stock
        .stream({ query: { sql } })
        .on('error', () => {})
        .pause();
    }
    const { pool } = bed.sidecar.app.databases.named('default');
    await eventually(() => expect(pool.counts.lent).toBe(1));
    const fromMs = performance.now();
    await bed.sidecar.app.stop(4_000);
    const tookMs = performance.now() - fromMs;
    // Cut a second before the end; what is left of it is for closing.
    expect(tookMs).toBeGreaterThan(2_900);
    // The last timer rings at the end of the grace period, not before.
    expect(tookMs).toBeLessThan(4_200);
    await eventually(async () => expect(await bed.backends()).toEqual([]), 500);
  });
});

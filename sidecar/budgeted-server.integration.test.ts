import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { proxyTo } from '../scripts/faults/fault-proxy.ts';
import { testDatabase, type TestDatabase } from '../scripts/servers/test-database.ts';
import { BudgetBed, budgetedPool } from './budgeted-sidecar.test-kit.ts';
import { mountSecret } from './controlled-sidecar.test-kit.ts';

let server: TestDatabase;
beforeAll(async () => {
  server = await testDatabase();
});
afterAll(() => server.drop());

const soon = { interval: 20, timeout: 20_000 };

test('a server that is full is waited out: no caller sees it, and it is counted', async () => {
  await using bed = await BudgetBed.open(server.url, 5);
  await bed.role.limit(2);
  const { sidecar, holdfast } = await bed.start(budgetedPool());
  const db = holdfast.database();
  const callers = Array.from({ length: 30 }, async () => {
    for (let turn = 0; turn < 3; turn += 1) await db.query('select pg_sleep(0.05)');
  });
  await Promise.all(callers);
  expect(bed.role.most()).toBe(2);
  await expect.poll(() => Number(bed.books.last?.refusals), soon).toBeGreaterThan(0);
  expect(await sidecar.metric(/^holdfast_connection_budget_refusals_total/)).toMatch(/ [1-9]\d*$/);
  // It says that it has no more than the server gave it.
  const { heartbeats } = bed.controller;
  const told = heartbeats.filter(({ refusals }) => refusals !== '0').map(({ share }) => share);
  expect(Math.min(...told)).toBeLessThanOrEqual(2);
});

test('lists the sessions of its role, whoever has them, and the limits', async () => {
  await using bed = await BudgetBed.open(server.url, 3);
  await bed.role.limit(7);
  const { holdfast } = await bed.start(budgetedPool());
  await holdfast.database().query('select 1');
  await using stranger = await connectAs(bed.role.url);
  const asked = await askForListing(bed);
  const own = bed.books.last?.ports ?? [];
  const listing = asked();
  expect(listing).toMatchObject({ roleLimit: 7, databaseLimit: -1 });
  expect(listing?.serverLimit).toBeGreaterThan(10);
  const listed = new Set(listing?.sessions.map(({ port }) => port));
  expect(listed).toEqual(new Set([...own, stranger.port]));
  const found = listing?.sessions.find(({ port }) => port === stranger.port);
  expect(found).toMatchObject({ address: '127.0.0.1' });
  const sinceMs = Date.now() - Number(found?.startedUs) / 1_000;
  expect(sinceMs).toBeGreaterThan(0);
  expect(sinceMs).toBeLessThan(60_000);
});

test('counts all sessions of a database that has the limit', async () => {
  await using bed = await BudgetBed.open(server.url, 3);
  const name = new URL(server.url).pathname.slice(1);
  await bed.role.client.query(`alter database ${name} connection limit 40`);
  const { holdfast } = await bed.start(budgetedPool());
  await holdfast.database().query('select 1');
  const listing = (await askForListing(bed))();
  await bed.role.client.query(`alter database ${name} connection limit -1`);
  expect(listing).toMatchObject({ roleLimit: -1, databaseLimit: 40 });
  // The superuser's two, of which the role may only know that they are there.
  expect(listing?.sessions.filter(({ address }) => address === '?')).toHaveLength(2);
});

test('ends a session for the controller only if address, port and start are all its own', async () => {
  await using bed = await BudgetBed.open(server.url, 3);
  const { holdfast } = await bed.start(budgetedPool());
  await holdfast.database().query('select 1');
  await using stray = await connectAs(bed.role.url);
  await using neighbour = await connectAs(bed.role.url);
  const sessions = (await askForListing(bed))()?.sessions ?? [];
  const found = (port: number) => sessions.find((session) => session.port === port);
  const other = found(neighbour.port);
  const superuser = bed.role.client.connection.stream as unknown as { localPort: number };
  bed.books.next = {
    terminate: [
      { ...found(stray.port) },
      { ...other, startedUs: Number(other?.startedUs) + 1 },
      { ...other, address: '127.0.0.2' },
      { ...found(stray.port), port: superuser.localPort },
    ],
  };
  await expect.poll(() => stray.hasEnded(), soon).toBe(true);
  expect(neighbour.hasEnded()).toBe(false);
  expect((await bed.role.client.query('select 1 as n')).rows).toEqual([{ n: 1 }]);
});

test('sockets that a server never closed do not use the share up for ever, with the controller away', async () => {
  await using bed = await BudgetBed.open(server.url, 2);
  await using proxy = await proxyTo(server.url);
  const through = new URL(bed.role.url);
  through.port = `${proxy.port}`;
  mountSecret(bed.folder.path, 'orders-db', 'url', through.href);
  bed.books.floor = 2;
  const { holdfast } = await bed.start({ ...budgetedPool(), statementTimeoutMs: 500 });
  const db = holdfast.database();
  await Promise.all(Array.from({ length: 4 }, () => db.query('select pg_sleep(0.1)')));
  await expect.poll(() => bed.books.last?.ports, soon).toHaveLength(2);
  bed.controller.stop();
  // Nothing comes through any more: neither our farewell nor the server's.
  proxy.stall('client');
  proxy.stall('server');
  const lost = db.query('select 1').catch(() => {});
  await new Promise((resolve) => setTimeout(resolve, 300));
  mountSecret(bed.folder.path, 'orders-db', 'url', bed.role.url);
  await lost;
  await expect
    .poll(
      () =>
        db.query('select 1 as n').then(
          ({ rows }) => rows,
          () => [],
        ),
      soon,
    )
    .toEqual([{ n: 1 }]);
});

/** Has the next grant ask for a listing; the result reads it, once it is there. */
async function askForListing(bed: BudgetBed) {
  await expect.poll(() => bed.books.last?.ports, soon).not.toEqual([]);
  const before = bed.controller.heartbeats.length;
  bed.books.next = { list: true };
  const find = () =>
    bed.controller.heartbeats.slice(before).find(({ listing }) => listing !== null)?.listing;
  await expect.poll(find, soon).toBeDefined();
  return find;
}

async function connectAs(url: string) {
  const client = new pg.Client(url);
  await client.connect();
  let ended = false;
  client.on('error', () => {});
  client.on('end', () => (ended = true));
  return {
    port: (client.connection.stream as unknown as { localPort: number }).localPort,
    hasEnded: () => ended,
    [Symbol.asyncDispose]: () => client.end(),
  };
}

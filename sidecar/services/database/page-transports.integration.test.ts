import { Client as GrpcClient, credentials, type ClientDuplexStream } from '@grpc/grpc-js';
import { Client } from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import type { PageRequest } from '../../../platform/gen/holdfast/v1/PageRequest.ts';
import type { PageResult__Output } from '../../../platform/gen/holdfast/v1/PageResult.ts';
import type { ServerFrame__Output } from '../../../platform/gen/holdfast/v1/ServerFrame.ts';
import type { ServerFrames__Output } from '../../../platform/gen/holdfast/v1/ServerFrames.ts';
import { loadContract, serviceOf } from '../../../platform/grpc/contract.ts';
import { testDatabase, type TestDatabase } from '../../../scripts/servers/test-database.ts';
import { startSidecar, type TestSidecar } from '../../sidecar.test-kit.ts';

/** Page as a stock unary call and as frames of a session. */

const contract = loadContract();
const cellBytes = 100_000;
const partBytes = 256 * 1024;

let server: TestDatabase;
let sidecar: TestSidecar;
let pg: Client;
let grpc: GrpcClient;

beforeAll(async () => {
  server = await testDatabase();
  pg = new Client({ connectionString: server.url });
  await pg.connect();
  await pg.query(`
    create table small (id int primary key, note text);
    insert into small values (1, 'one'), (2, null), (3, '');
    create table large (id int primary key, body text);
    insert into large select n, repeat(n::text, ${cellBytes}) from generate_series(1, 9) n`);
  sidecar = await startSidecar({ databaseUrl: server.url });
  grpc = new GrpcClient(sidecar.address, credentials.createInsecure());
});

afterAll(async () => {
  grpc.close();
  await pg.end();
  await sidecar.stop();
  await server.drop();
});

function call(request: PageRequest, client = grpc): Promise<PageResult__Output> {
  const method = serviceOf(contract, 'Database')['Page'];
  if (method === undefined) throw new Error('the proto has no Page');
  return new Promise((resolve, reject) => {
    const { path, requestSerialize, responseDeserialize } = method;
    client.makeUnaryRequest(path, requestSerialize, responseDeserialize, request, (error, page) =>
      error === null ? resolve(page as PageResult__Output) : reject(error),
    );
  });
}

let session: ClientDuplexStream<unknown, ServerFrames__Output>;
let frames: ServerFrame__Output[];
let wake: () => void;

beforeEach(() => {
  const method = serviceOf(contract, 'Session')['Open'];
  if (method === undefined) throw new Error('the proto has no Open');
  const { path, requestSerialize, responseDeserialize } = method;
  session = grpc.makeBidiStreamRequest(
    path,
    requestSerialize,
    responseDeserialize,
  ) as typeof session;
  frames = [];
  wake = () => {};
  session.on('error', () => {});
  session.on('data', (message: ServerFrames__Output) => {
    frames.push(...message.frames);
    wake();
  });
});

afterEach(() => session.cancel());

/** All frames with the id, once the last one is there. */
async function answer(id: number): Promise<ServerFrame__Output[]> {
  for (;;) {
    const found = frames.filter((frame) => frame.id === id);
    if (found.at(-1)?.more === false) return found;
    await new Promise<void>((resolve) => {
      wake = resolve;
    });
  }
}

const cells = (page: PageResult__Output | null | undefined): (string | null)[][] =>
  (page?.result?.rows ?? []).map((row) =>
    row.cells.map(({ text, _text }) => (_text === 'text' ? (text ?? '') : null)),
  );

test('a stock unary call gets the whole page in one message', async () => {
  const page = await call({ table: 'small', pageSize: 2, withTotal: true });
  expect(page).toMatchObject({ page: 1, pageSize: 2, hasMore: true, total: '3' });
  expect(page.result).toMatchObject({ rowsAffected: '2', command: 'SELECT' });
  expect(page.result?.columns).toMatchObject([
    { name: 'id', typeOid: 23 },
    { name: 'note', typeOid: 25 },
  ]);
  expect(cells(page)).toEqual([
    ['1', 'one'],
    ['2', null],
  ]);
  expect(cells(await call({ table: 'small', page: 2, pageSize: 2 }))).toEqual([['3', '']]);
});

test('a large page of a unary call is whole: no decoder has to merge parts of it', async () => {
  const page = await call({ table: 'large', pageSize: 8 });
  expect(cells(page).map(([id, body]) => [id, body?.length])).toEqual(
    [1, 2, 3, 4, 5, 6, 7, 8].map((id) => [String(id), cellBytes]),
  );
  expect(page).toMatchObject({ hasMore: true, result: { rowsAffected: '8' } });
});

test('a large page in a session comes in parts of some rows each', async () => {
  session.write({ frames: [{ id: 5, page: { table: 'large', pageSize: 8 } }] });
  const parts = await answer(5);
  expect(parts.length).toBeGreaterThan(1);
  expect(parts.map(({ more }) => more)).toEqual(parts.map((_, at) => at < parts.length - 1));
  expect(parts.flatMap(({ page }) => cells(page)).map(([id]) => Number(id))).toEqual([
    1, 2, 3, 4, 5, 6, 7, 8,
  ]);
  for (const { page } of parts) {
    expect(cells(page).length * cellBytes).toBeLessThan(partBytes + cellBytes);
  }
  expect(parts.map(({ page }) => page?.result?.columns.length)).toEqual([
    2,
    ...parts.slice(1).map(() => 0),
  ]);
  expect(parts.at(-1)?.page).toMatchObject({ page: 1, pageSize: 8, hasMore: true });
});

test('inside a transaction a page sees what the transaction wrote, and an unknown name does not end it', async () => {
  session.write({
    frames: [
      { id: 1, transactionId: 1, begin: {} },
      { id: 2, transactionId: 1, query: { sql: `insert into small values (4, 'mine')` } },
    ],
  });
  await answer(2);
  session.write({ frames: [{ id: 3, transactionId: 1, page: { table: 'smal' } }] });
  expect((await answer(3))[0]?.error?.message).toContain('there is no table or view "smal"');
  const last = { table: 'small', page: 2, pageSize: 3, withTotal: true };
  session.write({
    frames: [
      { id: 4, transactionId: 1, page: last },
      { id: 5, page: last },
    ],
  });
  const [inside, outside] = [(await answer(4))[0]?.page, (await answer(5))[0]?.page];
  expect(cells(inside)).toEqual([['4', 'mine']]);
  expect(inside?.total).toBe('4');
  expect(cells(outside)).toEqual([]);
  expect(outside?.total).toBe('3');
  session.write({ frames: [{ id: 6, transactionId: 1, rollback: {} }] });
  await answer(6);
});

test('a page keeps its place among pipelined frames of its transaction', async () => {
  await pg.query('create table ordered (id int primary key)');
  const page = { table: 'ordered', page: 2, pageSize: 1, withTotal: true };
  const insert = (ids: string) => ({ sql: `insert into ordered values ${ids}` });
  session.write({
    frames: [
      { id: 1, transactionId: 1, begin: {} },
      { id: 2, transactionId: 1, query: insert('(1), (2), (3)') },
      { id: 3, transactionId: 1, page },
      { id: 4, transactionId: 1, query: insert('(0)') },
      { id: 5, transactionId: 1, page },
      { id: 6, transactionId: 1, commit: {} },
    ],
  });
  const [before, after] = [(await answer(3))[0], (await answer(5))[0]];
  expect(cells(before?.page)).toEqual([['2']]);
  expect(before?.page?.total).toBe('3');
  expect(cells(after?.page)).toEqual([['1']]);
  expect(after?.page?.total).toBe('4');
  expect((await answer(6))[0]).toHaveProperty('commit');
});

test('a page in a transaction that is not open is refused', async () => {
  session.write({ frames: [{ id: 1, transactionId: 9, page: { table: 'small' } }] });
  expect((await answer(1))[0]?.error?.message).toContain('no open transaction 9');
});

test('an unknown pool and a bad request are clear errors of the call', async () => {
  await expect(call({ table: 'small', pool: 'nope' })).rejects.toMatchObject({ code: 5 });
  await expect(call({ table: 'small', pageSize: 1_001 })).rejects.toMatchObject({
    code: 3,
    details: 'page_size is 1001, more than 1000',
  });
});

test('a page larger than the pool allows a result to be is refused', async () => {
  const narrow = await startSidecar({
    databaseUrl: server.url,
    postgres: { maxResultBytes: 300_000 },
  });
  await using _stop = { [Symbol.asyncDispose]: () => narrow.stop() };
  const client = new GrpcClient(narrow.address, credentials.createInsecure());
  using _close = { [Symbol.dispose]: () => client.close() };
  await expect(call({ table: 'large' }, client)).rejects.toMatchObject({ code: 8 });
});

import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ClientFrame } from '../../platform/gen/holdfast/v1/ClientFrame.ts';
import { testDatabase, type TestDatabase } from '../../scripts/servers/test-database.ts';
import { TestBed } from './test-bed.test-kit.ts';

/** No message of a session is larger than HOLDFAST_MAX_MESSAGE_BYTES: grpc-js would end the session instead of sending it. */

let database: TestDatabase;
let bed: TestBed;

beforeAll(async () => {
  database = await testDatabase();
  bed = await TestBed.open(database.url, {
    env: { HOLDFAST_MAX_MESSAGE_BYTES: String(2 * 1024 * 1024) },
  });
});
afterAll(async () => {
  await bed[Symbol.asyncDispose]();
  await database.drop();
});

const row = (bytes: number): { sql: string } => ({ sql: `select repeat('x', ${bytes})` });

test.for<[string, ClientFrame]>([
  ['of a query', { query: row(2 * 1024 * 1024) }],
  ['of a batch', { batch: { statements: [row(2 * 1024 * 1024)] } }],
])('a row %s that fits into no message is refused, and its session goes on', async ([, over]) => {
  using session = await bed.session();
  session.send({ ...over, id: 1 }, { id: 2, query: row(1_000_000) });
  const [refused, under] = await session.answers(1, 2);
  expect(refused?.failure).toMatchObject({
    status: 'RESOURCE_EXHAUSTED',
    reason: 'RESULT_TOO_LARGE',
  });
  expect(under?.rows[0]?.[0]).toHaveLength(1_000_000);
  expect(await session.rows('select 1')).toEqual([['1']]);
});

test.for<[string, ClientFrame]>([
  ['a large answer in one part', { batch: { statements: [row(1_950_000)] } }],
  ['a large answer in several parts', { query: row(1_950_000) }],
])('%s shares no message that would be too large with what waits beside it', async ([, large]) => {
  using session = await bed.session();
  session.stopReading();
  let id = 0;
  const send = async (frame: ClientFrame): Promise<void> => {
    id += 1;
    session.send({ ...frame, id });
    await sleep(20);
  };
  // The client's own buffers take the first messages.
  for (let time = 0; time < 20; time += 1) await send(large);
  for (let time = 0; time < 3; time += 1) {
    await send({ query: row(200_000) });
    await send(large);
  }
  await sleep(200);
  session.readOn();
  const all = Array.from({ length: id }, (_, at) => at + 1);
  for (const { failure } of await session.answers(...all)) expect(failure).toBeUndefined();
});

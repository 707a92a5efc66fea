import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import pg from 'pg';
import { testDatabase, type TestDatabase } from '../../scripts/servers/test-database.ts';
import { rejection } from '../../sidecar/postgres/database.test-kit.ts';
import { append } from '../../sidecar/postgres/outbox.test-kit.ts';
import { startSidecar, type TestSidecar } from '../../sidecar/sidecar.test-kit.ts';
import { connect, type CommittedEvent, type Holdfast } from './index.ts';

let server: TestDatabase;
let sidecar: TestSidecar;
let client: pg.Client;
let holdfast: Holdfast;

beforeAll(async () => {
  server = await testDatabase();
  client = new pg.Client(server.url);
  await client.connect();
  sidecar = await startSidecar({ databaseUrl: server.url });
  holdfast = connect({ address: sidecar.address });
});
afterAll(async () => {
  await holdfast.close();
  await sidecar.stop();
  await client.end();
  await server.drop();
});
beforeEach(() =>
  client.query('truncate holdfast.outbox, holdfast.outbox_keys, holdfast.outbox_subscribers'),
);

const cursor = async (): Promise<number> => {
  const { rows } = await client.query<{ cursor: string }>(
    'select cursor from holdfast.outbox_subscribers',
  );
  return Number(rows[0]?.cursor ?? -1);
};
const texts = (events: readonly CommittedEvent[]): string[] =>
  events.map(({ payload }) => payload.toString());

test('a loop takes events and acknowledges them; the next one goes on behind', async () => {
  for (const payload of ['1', '2', '3']) await append(client, 'k', payload);
  const taken: CommittedEvent[] = [];
  for await (const event of holdfast.events().subscribe({ subscriber: 'mail' })) {
    taken.push(event);
    if (taken.length === 2) {
      await event.ack();
      break;
    }
  }
  expect(taken).toMatchObject([
    { topic: 't', key: 'k', seq: 1 },
    { topic: 't', key: 'k', seq: 2 },
  ]);
  expect(taken[0]?.at.getTime()).toBeCloseTo(Date.now(), -4);
  for await (const event of holdfast.events().subscribe({ subscriber: 'mail' })) {
    expect(event.payload.toString()).toBe('3');
    break;
  }
});

test('a handler gets one after the other, and what it has dealt with is acknowledged', async () => {
  const controller = new AbortController();
  const taken: CommittedEvent[] = [];
  let inside = 0;
  const done = holdfast
    .events()
    .subscribe({ subscriber: 'mail', signal: controller.signal }, async (event) => {
      inside += 1;
      expect(inside).toBe(1);
      await Promise.resolve();
      taken.push(event);
      inside -= 1;
    });
  for (let nth = 0; nth < 250; nth += 1) await append(client, `k${nth % 3}`, `${nth}`);
  await expect.poll(() => taken.length, { timeout: 5_000 }).toBe(250);
  controller.abort();
  await done;
  expect(texts(taken)).toEqual(Array.from({ length: 250 }, (_, nth) => `${nth}`));
  expect(await cursor()).toBe(taken.at(-1)?.cursor);
});

test('what a handler throws ends it; that event comes again, those before it do not', async () => {
  for (const payload of ['1', '2', '3']) await append(client, 'k', payload);
  const failing = holdfast.events().subscribe({ subscriber: 'mail' }, ({ payload }) => {
    if (payload.toString() === '2') throw new TypeError('not today');
  });
  await expect(failing).rejects.toThrow(TypeError);
  for await (const event of holdfast.events().subscribe({ subscriber: 'mail' })) {
    expect(event.payload.toString()).toBe('2');
    break;
  }
});

test('a handler goes on when the sidecar was away', async () => {
  const first = await startSidecar({ databaseUrl: server.url });
  await using other = connect({ address: first.address });
  const controller = new AbortController();
  const taken: CommittedEvent[] = [];
  const done = other
    .events()
    .subscribe({ subscriber: 'mail', signal: controller.signal }, (event) => {
      taken.push(event);
    });
  await append(client, 'k', '1');
  await expect.poll(() => texts(taken), { timeout: 3_000 }).toEqual(['1']);
  await expect.poll(cursor).toBe(taken[0]?.cursor);
  await first.app.stop(0);
  const second = await startSidecar({ databaseUrl: server.url, folder: first.folder });
  await append(client, 'k', '2');
  await expect.poll(() => texts(taken), { timeout: 10_000 }).toEqual(['1', '2']);
  controller.abort();
  await done;
  await second.stop();
  await first.stop();
});

test('a handler whose subscriber is taken over is told so', async () => {
  const older = holdfast.events().subscribe({ subscriber: 'mail' }, () => {});
  const ended = rejection(older);
  await expect.poll(cursor).toBe(0);
  const controller = new AbortController();
  const newer = holdfast
    .events()
    .subscribe({ subscriber: 'mail', signal: controller.signal }, () => {});
  expect(await ended).toMatchObject({ reason: 'SUBSCRIBER_TAKEN' });
  controller.abort();
  await newer;
});

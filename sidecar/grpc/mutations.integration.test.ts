import { Client, credentials, status } from '@grpc/grpc-js';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ClientFrame } from '../../platform/gen/holdfast/v1/ClientFrame.ts';
import type { Value } from '../../platform/gen/holdfast/v1/Value.ts';
import { loadContract, serviceOf } from '../../platform/grpc/contract.ts';
import { testDatabase, type TestDatabase } from '../../scripts/servers/test-database.ts';
import { encodeFrames, RawSession } from './raw-session.test-kit.ts';
import { TestBed } from './test-bed.test-kit.ts';

/** Messages that were valid before chance changed them: they crash nothing, and harm nobody else. */

let database: TestDatabase;
let bed: TestBed;

beforeAll(async () => {
  database = await testDatabase();
  bed = await TestBed.open(database.url, { env: { HOLDFAST_LOG_LEVEL: 'fatal' } });
  await bed.sql('create table items (id int, name text)');
});
afterAll(async () => {
  await bed[Symbol.asyncDispose]();
  await database.drop();
});

const value: fc.Arbitrary<Value> = fc.oneof<fc.Arbitrary<Value>[]>(
  fc.string({ unit: 'binary', maxLength: 8 }).map((text) => ({ text })),
  fc.integer().map((int) => ({ int })),
  fc.double().map((double) => ({ double })),
  fc.uint8Array({ maxLength: 8 }).map((bytes) => ({ bytes: Buffer.from(bytes) })),
  fc.constant({ null: 'NULL' } as const),
);
const query = fc.record({
  sql: fc.constantFrom('select $1::text', 'insert into items values (1, $1)', 'table items'),
  params: fc.array(value, { maxLength: 2 }),
});
const request = fc.oneof<fc.Arbitrary<ClientFrame>[]>(
  query.map((query) => ({ query })),
  fc.array(query, { maxLength: 3 }).map((statements) => ({ batch: { statements, atomic: true } })),
  fc.nat(20).map((id) => ({ cancel: { id } })),
  fc.constant({ begin: { isolation: 'ISOLATION_SERIALIZABLE', timeoutMs: 500 } } as const),
  fc.constant({ commit: {} }),
  fc.constant({ rollback: {} }),
  fc.constant({ savepoint: { action: 'ACTION_SET', name: 's' } } as const),
  fc.constant({ fetch: { cursor: 'c', maxRows: 3 } }),
  fc.constant({
    page: { table: 'items', pageSize: 2, sort: [{ column: 'id' }], fields: ['id', 'name'] },
  }),
  fc.constant({ command: { args: [Buffer.from('GET'), Buffer.from('key')] } }),
  fc.constant({ pipeline: { commands: [{ args: [Buffer.from('PING')] }] } }),
);
const frames = fc
  .array(
    fc.record({
      request,
      transactionId: fc.nat(3),
      deadlineMs: fc.constantFrom(0, 50),
      traceparent: fc.constantFrom('', '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'),
    }),
    { minLength: 1, maxLength: 6 },
  )
  .map((all) => all.map(({ request, ...frame }, at) => ({ id: at + 1, ...frame, ...request })));

type Mutation = (bytes: Buffer) => Buffer;
const position = fc.nat(10_000);
const at = (bytes: Buffer, where: number): number => where % Math.max(1, bytes.length);
const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  fc.tuple(position, fc.nat(255)).map(([where, byte]) => (bytes: Buffer) => {
    const changed = Buffer.from(bytes);
    if (changed.length > 0) changed[at(bytes, where)] = byte;
    return changed;
  }),
  position.map((where) => (bytes: Buffer) => bytes.subarray(0, at(bytes, where))),
  position.map((where) => (bytes: Buffer) => bytes.subarray(at(bytes, where))),
  fc.tuple(position, fc.uint8Array({ maxLength: 6 })).map(([where, more]) => (bytes: Buffer) => {
    const place = at(bytes, where);
    return Buffer.concat([bytes.subarray(0, place), more, bytes.subarray(place)]);
  }),
  fc.tuple(position, position).map(([where, from]) => (bytes: Buffer) => {
    const [start, end] = [at(bytes, where), at(bytes, from)].toSorted((a, b) => a - b);
    return Buffer.concat([bytes, bytes.subarray(start, end)]);
  }),
);
const mutated = fc
  .tuple(frames, fc.array(mutation, { minLength: 1, maxLength: 3 }))
  .map(([frames, mutations]) =>
    mutations.reduce((bytes, mutate) => mutate(bytes), encodeFrames(...frames)),
  );

test('more than a thousand mutated messages of sessions end at most their own session, with a reason', async () => {
  let sent = 0;
  let ended = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(mutated, { minLength: 8, maxLength: 8 }), async (batch) => {
      using neighbour = await bed.session();
      const slow = neighbour.ask({ query: { sql: `select 'fine' from pg_sleep(0.01)` } });
      await Promise.all(
        batch.map(async (bytes) => {
          using session = new RawSession(bed.sidecar.address);
          session.sendBytes(bytes);
          session.halfClose();
          sent += 1;
          const end = await session.ended;
          const internal = session.frames.filter(({ error }) => error?.code === status.INTERNAL);
          expect(internal).toEqual([]);
          if (end.status === 'OK') return;
          ended += 1;
          expect(end).toMatchObject({ status: 'INVALID_ARGUMENT', reason: 'SESSION_PROTOCOL' });
        }),
      );
      expect((await slow).rows).toEqual([['fine']]);
    }),
    { numRuns: 150 },
  );
  await bed.poolWhole();
  expect(sent).toBeGreaterThanOrEqual(1_000);
  // Both ends of it were met.
  expect(ended).toBeGreaterThan(100);
  expect(ended).toBeLessThan(sent - 100);
});

test('mutated messages of unary calls and conversations are answered, or end with a status', async () => {
  const service = serviceOf(loadContract(), 'Database');
  using neighbour = await bed.session();
  const client = new Client(bed.sidecar.address, credentials.createInsecure());
  const bytesOf = (name: string, message: object): Buffer => {
    const method = service[name];
    if (method === undefined) throw new Error(`the proto has no ${name}`);
    return method.requestSerialize(message);
  };
  const valid = fc.oneof(
    query.map((message) => ['Query', bytesOf('Query', message)] as const),
    query.map((message) => ['Batch', bytesOf('Batch', { statements: [message] })] as const),
    fc.constant(['Page', bytesOf('Page', { table: 'items', pageSize: 2 })] as const),
    query.map((message) => ['Transaction', bytesOf('Transaction', { query: message })] as const),
  );
  const same = (bytes: Buffer): Buffer => bytes;
  await fc.assert(
    fc.asyncProperty(
      valid,
      fc.array(mutation, { minLength: 1, maxLength: 3 }),
      async ([name, bytes], mutations) => {
        const path = service[name]?.path ?? '';
        const body = mutations.reduce((changed, mutate) => mutate(changed), bytes);
        await new Promise<void>((resolve) => {
          if (name === 'Transaction') {
            const stream = client.makeBidiStreamRequest(path, same, same);
            stream.on('error', () => {}).on('status', () => resolve());
            stream.write(bytesOf('Transaction', { begin: {} }));
            stream.write(body);
            stream.end();
            stream.resume();
          } else client.makeUnaryRequest(path, same, same, body, () => resolve());
        });
      },
    ),
    { numRuns: 300 },
  );
  client.close();
  expect(await neighbour.rows('select 1')).toEqual([['1']]);
  await bed.poolWhole();
});

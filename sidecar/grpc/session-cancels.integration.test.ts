import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ClientFrame } from '../../platform/gen/holdfast/v1/ClientFrame.ts';
import { testDatabase, type TestDatabase } from '../../scripts/servers/test-database.ts';
import { TestBed } from './test-bed.test-kit.ts';

/** Every id gets exactly one final answer, whatever is cancelled and whenever. */

let database: TestDatabase;
let bed: TestBed;

beforeAll(async () => {
  database = await testDatabase();
  bed = await TestBed.open(database.url, { postgres: { pool: { min: 3, max: 3 } } });
  await bed.sql('create table items (id int)');
});
afterAll(async () => {
  await bed[Symbol.asyncDispose]();
  await database.drop();
});

/** What a client may send under one id; `message` says with which others it travels. */
interface Sent {
  readonly frame: ClientFrame;
  readonly message: number;
}

const sql = fc.constantFrom(
  'select 1',
  'select pg_sleep(0.005)',
  'insert into items values (1)',
  'update items set id = id + 1',
  'selec',
  `select repeat('x', 300000)`,
  'commit',
  '',
);
const query = sql.map((text): ClientFrame => ({ query: { sql: text } }));
const autocommit = fc.oneof(
  { weight: 4, arbitrary: query },
  fc
    .array(sql, { maxLength: 3 })
    .map((texts): ClientFrame => ({ batch: { statements: texts.map((text) => ({ sql: text })) } })),
  fc.constant<ClientFrame>({ query: { sql: 'select 1', pool: 'nope' } }),
  fc.constant<ClientFrame>({}),
  fc.constant<ClientFrame>({ command: { args: [Buffer.from('PING')] } }),
  fc.constant<ClientFrame>({ page: { table: 'items', pageSize: 2 } }),
);
const cancel = fc.nat(50).map((id): ClientFrame => ({ cancel: { id } }));
const inTransaction = fc.oneof(
  { weight: 4, arbitrary: query },
  fc.constant<ClientFrame>({ begin: {} }),
  fc.constant<ClientFrame>({ begin: { timeoutMs: 5 } }),
  fc.constant<ClientFrame>({ savepoint: { action: 'ACTION_SET', name: 's' } }),
  fc.constant<ClientFrame>({ savepoint: { action: 'ACTION_ROLLBACK', name: 's' } }),
  fc.constant<ClientFrame>({ fetch: { cursor: 'c' } }),
  fc.constant<ClientFrame>({ commit: {} }),
  fc.constant<ClientFrame>({ rollback: {} }),
);
const anyFrame = fc.record({
  frame: fc.oneof(
    { weight: 4, arbitrary: autocommit },
    { weight: 4, arbitrary: cancel },
    {
      weight: 3,
      arbitrary: fc
        .tuple(fc.integer({ min: 1, max: 3 }), inTransaction)
        .map(([transactionId, frame]) => ({ ...frame, transactionId })),
    },
  ),
  message: fc.nat(5),
  deadlineMs: fc.option(fc.integer({ min: 1, max: 30 }), { nil: 0, freq: 4 }),
});
const history = fc.array(
  anyFrame.map(({ frame, message, deadlineMs }): Sent => ({
    frame: { ...frame, deadlineMs },
    message,
  })),
  { minLength: 10, maxLength: 50 },
);

test('under random cancels, deadlines and endings every id gets exactly one final answer, and the pool is whole', async () => {
  await fc.assert(
    fc.asyncProperty(history, async (sent) => {
      using session = await bed.session();
      const frames = sent.map(({ frame }, at) => ({ ...frame, id: at + 1 }));
      for (let message = 0; message <= 5; message += 1) {
        const together = frames.filter((_, at) => sent[at]?.message === message);
        if (together.length > 0) session.send(...together);
        if (message % 2 === 1) await new Promise((resolve) => setTimeout(resolve, message));
      }
      session.halfClose();
      expect(await session.ended).toMatchObject({ status: 'OK' });
      const finals = new Map<number, number>();
      for (const { id, more } of session.frames) {
        if (id !== 0 && !more) finals.set(id, (finals.get(id) ?? 0) + 1);
      }
      expect([...finals].toSorted(([a], [b]) => a - b)).toEqual(frames.map(({ id }) => [id, 1]));
      // Parts of one answer: nothing after the last.
      for (const { id } of frames) {
        const parts = session.frames.filter((frame) => frame.id === id);
        expect(parts.map(({ more }) => more)).toEqual(parts.map((_, at) => at < parts.length - 1));
      }
      await bed.poolWhole();
    }),
    { numRuns: 100 },
  );
});

import { status } from '@grpc/grpc-js';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { connect, type ConnectOptions, type Holdfast } from '../connect.ts';
import {
  oneCell,
  type ReceivedFrame,
  ScriptedSidecar,
  statusOf,
} from './scripted-sidecar.test-kit.ts';

/** Answers queries with their own text, and everything else with what it asks for. */
function echo({ request, query }: ReceivedFrame): Record<string, unknown> {
  return query === undefined ? { [request]: {} } : { query: oneCell(query.sql) };
}

const client = (sidecar: ScriptedSidecar, options: Partial<ConnectOptions> = {}): Holdfast =>
  connect({ address: sidecar.address, deadlineMs: 5_000, ...options });

/** Lets everything run that is ready, network included. */
const soon = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 30));

test('calls made in one turn travel in one message, and each gets its own answer', async () => {
  await using sidecar = await new ScriptedSidecar({ onFrame: echo }).start();
  await using holdfast = client(sidecar);
  const db = holdfast.database();
  await db.query('connect');
  const answers = await Promise.all(
    Array.from({ length: 50 }, (_, index) => db.query(`select ${index}`)),
  );
  expect(answers.map(({ rows }) => rows[0]?.['value'])).toEqual(
    Array.from({ length: 50 }, (_, index) => `select ${index}`),
  );
  expect(sidecar.messages).toEqual([1, 50]);
  expect(sidecar.sessions).toHaveLength(1);
});

test('answers may come in any order, in parts, and mixed', async () => {
  const waiting: number[] = [];
  await using sidecar = await new ScriptedSidecar({
    onFrame: ({ id }, session) => {
      waiting.push(id);
      if (waiting.length < 2) return undefined;
      const [first = 0, second = 0] = waiting;
      const cells = (text: string): object[] => [{ cells: [{ text }] }];
      session.send(
        { id: second, more: true, query: { ...oneCell('b1') } },
        { id: first, more: true, query: { ...oneCell('a1') } },
        { id: second, query: { rows: cells('b2'), rowsAffected: 2, command: 'SELECT' } },
      );
      session.send({ id: first, query: { rows: cells('a2'), rowsAffected: 2, command: 'X' } });
      return undefined;
    },
  }).start();
  await using holdfast = client(sidecar);
  const db = holdfast.database();
  const [a, b] = await Promise.all([db.query('a'), db.query('b')]);
  expect(a.rows).toEqual([{ value: 'a1' }, { value: 'a2' }]);
  expect(b.rows).toEqual([{ value: 'b1' }, { value: 'b2' }]);
  expect(a).toMatchObject({ rowsAffected: 2, command: 'X' });
});

test('an error frame fails its own call with everything it says, and no other', async () => {
  await using sidecar = await new ScriptedSidecar({
    onFrame: (frame) =>
      frame.query?.sql === 'bad'
        ? { error: statusOf(status.RESOURCE_EXHAUSTED, 'POOL_EXHAUSTED') }
        : echo(frame),
  }).start();
  await using holdfast = client(sidecar);
  const db = holdfast.database();
  const [bad, good] = await Promise.allSettled([db.query('bad'), db.query('good')]);
  expect(bad).toMatchObject({
    status: 'rejected',
    reason: { code: 'RESOURCE_EXHAUSTED', reason: 'POOL_EXHAUSTED' },
  });
  expect(good.status).toBe('fulfilled');
});

test('a decoder that throws, and an answer of another kind, fail their call alone', async () => {
  await using sidecar = await new ScriptedSidecar({
    onFrame: (frame) => (frame.query?.sql === 'odd' ? { commit: {} } : echo(frame)),
  }).start();
  const types = {
    25: (text: string) => {
      if (text === 'throws') throw new Error('no');
      return text;
    },
  };
  await using holdfast = client(sidecar, { types });
  const db = holdfast.database();
  const all = await Promise.allSettled([db.query('throws'), db.query('odd'), db.query('fine')]);
  const failed = { status: 'rejected', reason: { reason: 'DECODE_FAILED' } };
  expect(all).toMatchObject([failed, failed, { status: 'fulfilled' }]);
});

test("the caller's options travel with the frame", async () => {
  await using sidecar = await new ScriptedSidecar({ onFrame: echo }).start();
  await using holdfast = client(sidecar);
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
  await holdfast
    .database('orders')
    .query('q', [1], { priority: 'high', traceparent, deadlineMs: 1_234, idempotent: true });
  await holdfast.redis('cache').command('GET', 'k');
  await holdfast.database().query('q', [], { deadlineMs: Infinity });
  const [query, command, endless] = sidecar.frames;
  expect(query).toMatchObject({
    priority: 'PRIORITY_HIGH',
    traceparent,
    query: { pool: 'orders', idempotent: true, params: [{ int: 1 }] },
  });
  expect(query?.deadlineMs).toBeGreaterThan(1_000);
  expect(query?.deadlineMs).toBeLessThanOrEqual(1_234);
  expect(command).toMatchObject({ command: { pool: 'cache' } });
  expect(command?.deadlineMs).toBeGreaterThan(4_000);
  expect(endless).not.toHaveProperty('deadlineMs');
});

test('an aborted call fails at once, is cancelled on the sidecar, and its late answer is dropped', async () => {
  const held: [number, (frame: Record<string, unknown>) => void][] = [];
  await using sidecar = await new ScriptedSidecar({
    onFrame: (frame, session) => {
      if (frame.query?.sql !== 'slow') return echo(frame);
      held.push([frame.id, (answer) => session.send(answer)]);
      return undefined;
    },
  }).start();
  await using holdfast = client(sidecar);
  const db = holdfast.database();
  const controller = new AbortController();
  const slow = db.query('slow', [], { signal: controller.signal });
  await sidecar.received(1);
  controller.abort(new Error('enough'));
  await expect(slow).rejects.toMatchObject({
    code: 'CANCELLED',
    reason: 'CANCELLED',
    cause: new Error('enough'),
  });
  await sidecar.received(2);
  const [[id, send] = [0, (): void => {}]] = held;
  expect(sidecar.frames[1]).toMatchObject({ cancel: { id } });
  // Its id is not given to another call before its answer.
  await db.query('next');
  expect(sidecar.frames[2]?.id).not.toBe(id);
  send({ id, query: oneCell('late') });
  await soon();
  const { rows } = await db.query('after');
  expect(rows).toEqual([{ value: 'after' }]);
  await expect(db.query('never', [], { signal: controller.signal })).rejects.toMatchObject({
    reason: 'CANCELLED',
  });
  expect(sidecar.sql).not.toContain('never');
});

test('a call whose deadline passes is ended by the client when the sidecar says nothing', async () => {
  await using sidecar = await new ScriptedSidecar({
    onFrame: ({ request }) => (request === 'cancel' ? { cancel: {} } : undefined),
  }).start();
  await using holdfast = client(sidecar);
  const start = performance.now();
  await expect(holdfast.database().query('q', [], { deadlineMs: 50 })).rejects.toMatchObject({
    code: 'DEADLINE_EXCEEDED',
    reason: 'DEADLINE_EXCEEDED',
  });
  expect(performance.now() - start).toBeLessThan(1_000);
  await sidecar.received(2);
  expect(sidecar.frames.map(({ request }) => request)).toEqual(['query', 'cancel']);
});

test("the sidecar's own word on a deadline, shortly after it, counts for more", async () => {
  await using sidecar = await new ScriptedSidecar({
    onFrame: ({ id }, session) => {
      setTimeout(
        () => session.send({ id, error: statusOf(status.RESOURCE_EXHAUSTED, 'POOL_EXHAUSTED') }),
        70,
      );
      return undefined;
    },
  }).start();
  await using holdfast = client(sidecar);
  await expect(holdfast.database().query('q', [], { deadlineMs: 50 })).rejects.toMatchObject({
    reason: 'POOL_EXHAUSTED',
  });
});

test.each([0, -1, Number.NaN])('a deadline of %d ms is refused', async (deadlineMs) => {
  await using sidecar = new ScriptedSidecar();
  await using holdfast = client(sidecar);
  await expect(holdfast.database().query('q', [], { deadlineMs })).rejects.toMatchObject({
    reason: 'INVALID_REQUEST',
  });
  expect(() => client(sidecar, { deadlineMs })).toThrow('deadlineMs');
});

test('every call gets exactly one answer, whatever is cancelled when', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ answerMs: fc.nat(5), abortMs: fc.option(fc.nat(5)) }), {
        minLength: 1,
        maxLength: 30,
      }),
      async (plan) => {
        await using sidecar = await new ScriptedSidecar({
          limits: { maxInFlight: 8 },
          onFrame: (frame, session) => {
            if (frame.query === undefined) return echo(frame);
            const { answerMs = 0 } = plan[Number(frame.query.sql)] ?? {};
            setTimeout(() => session.send({ id: frame.id, ...echo(frame) }), answerMs);
            return undefined;
          },
        }).start();
        await using holdfast = client(sidecar);
        const db = holdfast.database();
        const outcomes = await Promise.all(
          plan.map(({ abortMs }, index) => {
            const controller = new AbortController();
            if (abortMs !== null) setTimeout(() => controller.abort(), abortMs);
            return db.query(String(index), [], { signal: controller.signal }).then(
              ({ rows }) => rows[0]?.['value'],
              (error: { reason: string }) => error.reason,
            );
          }),
        );
        for (const [index, outcome] of outcomes.entries()) {
          const possible =
            plan[index]?.abortMs === null ? [String(index)] : [String(index), 'CANCELLED'];
          expect(possible).toContain(outcome);
        }
        expect((await db.query('0')).rows).toEqual([{ value: '0' }]);
      },
    ),
    { numRuns: 100 },
  );
}, 30_000);

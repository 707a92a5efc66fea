import { status } from '@grpc/grpc-js';
import { expect, test } from 'vitest';
import { connect, type Holdfast } from '../connect.ts';
import {
  oneCell,
  type ReceivedFrame,
  ScriptedSidecar,
  statusOf,
} from './scripted-sidecar.test-kit.ts';

function echo({ request, query }: ReceivedFrame): Record<string, unknown> {
  return query === undefined ? { [request]: {} } : { query: oneCell(query.sql) };
}

const client = (sidecar: ScriptedSidecar): Holdfast =>
  connect({ address: sidecar.address, deadlineMs: 5_000 });

const requests = (sidecar: ScriptedSidecar): string[] =>
  sidecar.frames.map(({ request, query }) => query?.sql ?? request);

test('Begin, statements and Commit travel together when nobody waits in between', async () => {
  await using sidecar = await new ScriptedSidecar({ onFrame: echo }).start();
  await using holdfast = client(sidecar);
  const db = holdfast.database('orders');
  await db.query('connect');
  const tx = db.beginPipelined({ isolation: 'serializable', timeoutMs: 100 });
  const [one] = await Promise.all([tx.query('one'), tx.query('two'), tx.commit()]);
  expect(one.rows).toEqual([{ value: 'one' }]);
  expect(sidecar.messages).toEqual([1, 4]);
  const [begin, ...rest] = sidecar.frames.slice(1);
  expect(begin).toMatchObject({
    begin: { pool: 'orders', isolation: 'ISOLATION_SERIALIZABLE', timeoutMs: 100 },
  });
  // A frame of a transaction names no pool.
  expect(rest[0]?.query).toEqual({ sql: 'one' });
  expect(new Set(rest.map(({ transactionId }) => transactionId))).toEqual(
    new Set([begin?.transactionId]),
  );
});

test('when Begin fails, so does everything after it, also what is asked later', async () => {
  const failure = { error: statusOf(status.RESOURCE_EXHAUSTED, 'POOL_EXHAUSTED') };
  await using sidecar = await new ScriptedSidecar({
    onFrame: ({ transactionId = 0 }) => (transactionId > 0 ? failure : undefined),
  }).start();
  await using holdfast = client(sidecar);
  const db = holdfast.database();
  const exhausted = { reason: 'POOL_EXHAUSTED' };
  await expect(db.begin()).rejects.toMatchObject(exhausted);
  await using tx = db.beginPipelined();
  await expect(tx.query('one')).rejects.toMatchObject(exhausted);
  await expect(tx.begun).rejects.toMatchObject(exhausted);
  expect(tx.isOver).toBe(true);
  await expect(tx.query('two')).rejects.toMatchObject(exhausted);
  await expect(tx.commit()).rejects.toMatchObject(exhausted);
  await tx.rollback();
  expect(requests(sidecar)).toEqual(['begin', 'begin', 'one']);
});

test('leaving the block without a commit rolls back; after a commit it does nothing', async () => {
  await using sidecar = await new ScriptedSidecar({ onFrame: echo }).start();
  await using holdfast = client(sidecar);
  const db = holdfast.database();
  {
    await using tx = await db.begin();
    await tx.query('lost');
  }
  {
    await using tx = await db.begin();
    await tx.commit();
    await expect(tx.query('late')).rejects.toMatchObject({ reason: 'UNKNOWN_TRANSACTION' });
    await expect(tx.commit()).rejects.toMatchObject({ reason: 'UNKNOWN_TRANSACTION' });
  }
  expect(requests(sidecar)).toEqual(['begin', 'lost', 'rollback', 'begin', 'commit']);
});

test('`transaction` commits what returns, rolls back what throws, and respects an early end', async () => {
  await using sidecar = await new ScriptedSidecar({ onFrame: echo }).start();
  await using holdfast = client(sidecar);
  const db = holdfast.database();
  const value = await db.transaction(async (tx) => (await tx.query('a')).rows[0]?.['value']);
  expect(value).toBe('a');
  const failing = db.transaction(async (tx) => {
    await tx.query('b');
    throw new Error('mine');
  });
  await expect(failing).rejects.toThrow('mine');
  await db.transaction((tx) => tx.rollback());
  expect(requests(sidecar)).toEqual('begin a commit begin b rollback begin rollback'.split(' '));
});

test('savepoints, batches and fetches are calls of the transaction', async () => {
  await using sidecar = await new ScriptedSidecar({
    onFrame: (frame) =>
      frame.request === 'batch' ? { batch: { results: [{ result: oneCell('x') }] } } : echo(frame),
  }).start();
  await using holdfast = client(sidecar);
  await using tx = await holdfast.database().begin();
  const savepoint = await tx.savepoint('s');
  await savepoint.rollback();
  await savepoint.release();
  const [result] = await tx.batch([{ sql: 'x' }]);
  expect(result?.rows).toEqual([{ value: 'x' }]);
  await tx.fetch('cursor', 5);
  expect(sidecar.frames.slice(1)).toMatchObject([
    { savepoint: { action: 'ACTION_SET', name: 's' } },
    { savepoint: { action: 'ACTION_ROLLBACK', name: 's' } },
    { savepoint: { action: 'ACTION_RELEASE', name: 's' } },
    { batch: { statements: [{ sql: 'x' }] } },
    { fetch: { cursor: 'cursor', maxRows: 5 } },
  ]);
});

test("when the sidecar ends a transaction by itself, later calls fail with the sidecar's reason", async () => {
  await using sidecar = await new ScriptedSidecar({ onFrame: echo }).start();
  await using holdfast = client(sidecar);
  await using tx = await holdfast.database().begin();
  const { transactionId } = sidecar.frames[0] as ReceivedFrame;
  const reason = statusOf(status.DEADLINE_EXCEEDED, 'IDLE_IN_TRANSACTION_TIMEOUT');
  sidecar.sessions[0]?.send({ id: 0, transactionEnded: { transactionId, reason } });
  while (!tx.isOver) await new Promise((resolve) => setImmediate(resolve));
  const ended = { reason: 'IDLE_IN_TRANSACTION_TIMEOUT' };
  await expect(tx.query('late')).rejects.toMatchObject(ended);
  await expect(tx.commit()).rejects.toMatchObject(ended);
  expect(requests(sidecar)).toEqual(['begin']);
});

test('a Begin that is given up is cancelled and rolled back, should it have been in time', async () => {
  await using sidecar = await new ScriptedSidecar({
    onFrame: (frame) => (frame.request === 'begin' ? undefined : echo(frame)),
  }).start();
  await using holdfast = client(sidecar);
  const controller = new AbortController();
  const begin = holdfast.database().begin({ signal: controller.signal });
  await sidecar.received(1);
  controller.abort();
  await expect(begin).rejects.toMatchObject({ reason: 'CANCELLED' });
  await sidecar.received(3);
  const [begun, cancel, rollback] = sidecar.frames;
  expect(cancel).toMatchObject({ cancel: { id: begun?.id } });
  expect(rollback).toMatchObject({ request: 'rollback', transactionId: begun?.transactionId });
});

test('a commit that is given up is not cancelled: it is unknown', async () => {
  await using sidecar = await new ScriptedSidecar({
    onFrame: (frame) => (frame.request === 'commit' ? undefined : echo(frame)),
  }).start();
  await using holdfast = client(sidecar);
  const tx = await holdfast.database().begin();
  const controller = new AbortController();
  const commit = tx.commit({ signal: controller.signal });
  await sidecar.received(2);
  controller.abort();
  await expect(commit).rejects.toMatchObject({ reason: 'COMMIT_UNKNOWN' });
  expect(tx.isOver).toBe(true);
  await tx.rollback();
  const late = await holdfast.database().begin();
  await expect(late.commit({ deadlineMs: 20 })).rejects.toMatchObject({ reason: 'COMMIT_UNKNOWN' });
  expect(requests(sidecar)).toEqual(['begin', 'commit', 'begin', 'commit']);
});

test('a commit that was given up before it was sent leaves the transaction open', async () => {
  await using sidecar = await new ScriptedSidecar({ onFrame: echo }).start();
  await using holdfast = client(sidecar);
  await using tx = await holdfast.database().begin();
  const signal = AbortSignal.abort();
  await expect(tx.commit({ signal })).rejects.toMatchObject({ reason: 'CANCELLED' });
  expect(tx.isOver).toBe(false);
  await tx.query('more');
  await tx.commit();
});

test('transactions get through while a thousand calls wait for what they hold', async () => {
  // Autocommit statements are answered only when all ten transactions have ended, as if these held the whole pool.
  const blocked: ((answer: Record<string, unknown>) => void)[] = [];
  let commits = 0;
  await using sidecar = await new ScriptedSidecar({
    limits: { maxInFlight: 64 },
    onFrame: (frame, session) => {
      if (frame.transactionId === undefined && frame.query !== undefined && commits < 10) {
        blocked.push((answer) => session.send({ id: frame.id, ...answer }));
        return undefined;
      }
      if (frame.request === 'commit') commits += 1;
      if (commits === 10) for (const answer of blocked.splice(0)) answer({ query: oneCell('x') });
      return echo(frame);
    },
  }).start();
  await using holdfast = client(sidecar);
  const db = holdfast.database();
  const transactions = await Promise.all(Array.from({ length: 10 }, () => db.begin()));
  const waiting = Promise.all(Array.from({ length: 1_000 }, (_, index) => db.query(`q${index}`)));
  await Promise.all(
    transactions.map(async (tx) => {
      await tx.query('in');
      await tx.query('in again');
      await tx.commit();
    }),
  );
  expect(await waiting).toHaveLength(1_000);
});

test('a transaction that begins while the session is full keeps its order, commit included', async () => {
  let hold = true;
  const answers: (() => void)[] = [];
  await using sidecar = await new ScriptedSidecar({
    limits: { maxInFlight: 2 },
    onFrame: (frame, session) => {
      const answer = (): void => session.send({ id: frame.id, ...echo(frame) });
      if (hold) answers.push(answer);
      else answer();
      return undefined;
    },
  }).start();
  await using holdfast = client(sidecar);
  const db = holdfast.database();
  const first = db.query('first');
  const second = db.query('second');
  await sidecar.received(1);
  const tx = db.beginPipelined();
  const all = Promise.all([tx.query('one'), tx.query('two'), tx.commit()]);
  hold = false;
  for (const answer of answers) answer();
  await Promise.all([first, second, all]);
  expect(requests(sidecar)).toEqual(['first', 'second', 'begin', 'one', 'two', 'commit']);
});

test('when Begin fails while its statements wait for room, they fail without being sent', async () => {
  const failure = { error: statusOf(status.RESOURCE_EXHAUSTED, 'POOL_EXHAUSTED') };
  await using sidecar = await new ScriptedSidecar({
    limits: { maxInFlight: 1 },
    onFrame: (frame) => (frame.request === 'begin' ? failure : echo(frame)),
  }).start();
  await using holdfast = client(sidecar);
  const db = holdfast.database();
  await db.query('connect');
  const tx = db.beginPipelined();
  const outcomes = await Promise.allSettled([tx.query('one'), tx.query('two'), tx.commit()]);
  for (const outcome of outcomes) {
    expect(outcome).toMatchObject({ reason: { reason: 'POOL_EXHAUSTED' } });
  }
  await db.query('after');
  expect(requests(sidecar)).toEqual(['connect', 'begin', 'after']);
});

test('what followed a failed Begin is told why, not only that there is no transaction', async () => {
  const reasons = { begin: 'POOL_EXHAUSTED', query: 'UNKNOWN_TRANSACTION' };
  await using sidecar = await new ScriptedSidecar({
    onFrame: ({ request }) => ({
      error: statusOf(status.NOT_FOUND, reasons[request as keyof typeof reasons]),
    }),
  }).start();
  await using holdfast = client(sidecar);
  const tx = holdfast.database().beginPipelined();
  await expect(tx.query('one')).rejects.toMatchObject({ reason: 'POOL_EXHAUSTED' });
});

test('a rollback that is given up says so; the sidecar does it all the same', async () => {
  await using sidecar = await new ScriptedSidecar({
    onFrame: (frame) => (frame.request === 'rollback' ? undefined : echo(frame)),
  }).start();
  await using holdfast = client(sidecar);
  const tx = await holdfast.database().begin();
  await expect(tx.rollback({ deadlineMs: 20 })).rejects.toMatchObject({
    reason: 'DEADLINE_EXCEEDED',
  });
  expect(requests(sidecar)).toEqual(['begin', 'rollback']);
});

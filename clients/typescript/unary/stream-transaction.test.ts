import { status } from '@grpc/grpc-js';
import { expect, test } from 'vitest';
import { connect, type Holdfast } from '../connect.ts';
import { ScriptedDatabase, type ScriptedTransaction } from './scripted-database.test-kit.ts';

const answers: Record<string, Record<string, unknown>> = {
  begin: { begun: {} },
  query: { query: { command: 'SELECT' } },
  commit: { committed: {} },
  rollback: { rolledBack: {} },
};

/** Answers everything but what is named. */
const allBut =
  (...silent: string[]) =>
  (request: string): Record<string, unknown> | undefined =>
    silent.includes(request) ? undefined : answers[request];

const client = (database: ScriptedDatabase): Holdfast =>
  connect({ address: database.address, transport: 'unary', deadlineMs: 5_000 });

test('requests may follow each other without waiting; the stream ends after the commit', async () => {
  await using database = await new ScriptedDatabase({ onRequest: allBut() }).start();
  await using holdfast = client(database);
  const tx = holdfast.database().beginPipelined();
  await Promise.all([tx.query('a'), tx.query('b'), tx.commit()]);
  expect(tx.isOver).toBe(true);
  await expect(tx.query('c')).rejects.toMatchObject({ reason: 'UNKNOWN_TRANSACTION' });
  await database.happened('end');
  expect(database.events).toEqual(['begin', 'query', 'query', 'commit', 'end']);
});

test('giving up a statement ends the transaction, and whatever else waits in it', async () => {
  await using database = await new ScriptedDatabase({ onRequest: allBut('query') }).start();
  await using holdfast = client(database);
  const tx = await holdfast.database().begin();
  const controller = new AbortController();
  const both = Promise.allSettled([
    tx.query('a', [], { signal: controller.signal }),
    tx.query('b'),
  ]);
  await database.happened('query');
  controller.abort();
  expect(await both).toMatchObject([
    { reason: { reason: 'CANCELLED' } },
    { reason: { reason: 'CANCELLED' } },
  ]);
  await database.happened('cancelled');
  await expect(tx.commit()).rejects.toMatchObject({ reason: 'CANCELLED' });
  await tx.rollback();
});

test('a commit that is given up is not cancelled: it is unknown', async () => {
  await using database = await new ScriptedDatabase({ onRequest: allBut('commit') }).start();
  await using holdfast = client(database);
  const tx = await holdfast.database().begin();
  await expect(tx.commit({ deadlineMs: 30 })).rejects.toMatchObject({ reason: 'COMMIT_UNKNOWN' });
  await database.happened('end');
  expect(database.events).not.toContain('cancelled');
});

test('a commit that was given up before it was sent leaves the transaction open', async () => {
  await using database = await new ScriptedDatabase({ onRequest: allBut() }).start();
  await using holdfast = client(database);
  const tx = await holdfast.database().begin();
  const signal = AbortSignal.abort();
  await expect(tx.commit({ signal })).rejects.toMatchObject({ reason: 'CANCELLED' });
  await expect(tx.rollback({ deadlineMs: 0 })).rejects.toMatchObject({ reason: 'INVALID_REQUEST' });
  expect(tx.isOver).toBe(false);
  await tx.commit({ deadlineMs: Infinity });
});

test('a Begin that is never sent leaves nothing that could be used', async () => {
  await using database = await new ScriptedDatabase({ onRequest: allBut() }).start();
  await using holdfast = client(database);
  const tx = holdfast.database().beginPipelined({ signal: AbortSignal.abort() });
  await expect(tx.begun).rejects.toMatchObject({ reason: 'CANCELLED' });
  await expect(tx.query('a')).rejects.toMatchObject({ reason: 'CANCELLED' });
  expect(database.events).not.toContain('query');
});

test.each([
  [['query'], { reason: 'SIDECAR_LOST' }],
  [['commit'], { reason: 'COMMIT_UNKNOWN' }],
])('the sidecar goes while %s is under way', async (silent, expected) => {
  await using database = await new ScriptedDatabase({ onRequest: allBut(...silent) }).start();
  await using holdfast = client(database);
  const tx = await holdfast.database().begin();
  const outcome = Promise.allSettled([silent[0] === 'commit' ? tx.commit() : tx.query('a')]);
  await database.happened(silent[0] ?? '');
  database.stop();
  expect(await outcome).toMatchObject([{ reason: expected }]);
});

test("the sidecar's own word on the stream's end is believed, for a commit too", async () => {
  const onRequest = (request: string, transaction: ScriptedTransaction): undefined => {
    if (request === 'commit') transaction.fail(status.RESOURCE_EXHAUSTED, 'POOL_EXHAUSTED');
  };
  await using database = await new ScriptedDatabase({ onRequest }).start();
  await using holdfast = client(database);
  const tx = holdfast.database().beginPipelined();
  const all = await Promise.allSettled([tx.begun, tx.query('a'), tx.commit()]);
  for (const each of all) expect(each).toMatchObject({ reason: { reason: 'POOL_EXHAUSTED' } });
});

test('a rollback counts as done when the stream breaks, and not when it is given up', async () => {
  await using database = await new ScriptedDatabase({ onRequest: allBut('rollback') }).start();
  await using holdfast = client(database);
  const db = holdfast.database();
  const first = await db.begin();
  await expect(first.rollback({ deadlineMs: 30 })).rejects.toMatchObject({
    reason: 'DEADLINE_EXCEEDED',
  });
  const second = await db.begin();
  const rollback = second.rollback();
  await database.happened('rollback');
  database.stop();
  await rollback;
});

test('an answer that is none, or of another kind, is an error', async () => {
  const onRequest = (request: string, transaction: ScriptedTransaction) => {
    if (request !== 'query') return answers[request];
    transaction.sendRaw(Buffer.from([0x0a]));
    return undefined;
  };
  await using database = await new ScriptedDatabase({ onRequest }).start();
  await using holdfast = client(database);
  const tx = await holdfast.database().begin();
  await expect(tx.query('a')).rejects.toMatchObject({ reason: 'DECODE_FAILED' });
  expect(tx.isOver).toBe(true);

  await using odd = await new ScriptedDatabase({ onRequest: () => ({ committed: {} }) }).start();
  await using other = client(odd);
  await expect(other.database().begin()).rejects.toMatchObject({ reason: 'DECODE_FAILED' });
});

test('close ends idle transactions, waits for busy ones, and not for ever', async () => {
  await using database = await new ScriptedDatabase({ onRequest: allBut('query') }).start();
  const holdfast = client(database);
  const db = holdfast.database();
  const idle = await db.begin();
  const busy = await db.begin();
  const outcome = Promise.allSettled([busy.query('a')]);
  await database.happened('query');
  await holdfast.close({ graceMs: 30 });
  expect(await outcome).toMatchObject([{ reason: { reason: 'CLIENT_CLOSED' } }]);
  await expect(idle.query('a')).rejects.toMatchObject({ reason: 'CLIENT_CLOSED' });
  const late = db.beginPipelined();
  await expect(late.query('a')).rejects.toMatchObject({ reason: 'CLIENT_CLOSED' });
  await expect(late.begun).rejects.toMatchObject({ reason: 'CLIENT_CLOSED' });
  await late.rollback();
});

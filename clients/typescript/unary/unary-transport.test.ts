import { expect, test } from 'vitest';
import { connect, type Holdfast } from '../connect.ts';
import { ScriptedDatabase } from './scripted-database.test-kit.ts';

const client = (database: ScriptedDatabase, token?: string): Holdfast =>
  connect({ address: database.address, transport: 'unary', deadlineMs: 5_000, token });

test("the caller's options travel as metadata", async () => {
  const seen: Record<string, unknown>[] = [];
  await using database = await new ScriptedDatabase({
    onQuery: (_, metadata) => {
      seen.push(metadata.getMap());
      return {};
    },
  }).start();
  await using holdfast = client(database, 'secret');
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
  await holdfast.database().query('q', [], { priority: 'low', traceparent });
  expect(seen).toMatchObject([
    { authorization: 'Bearer secret', 'holdfast-priority': 'low', traceparent },
  ]);
});

test('an aborted call fails at once and is cancelled', async () => {
  await using database = await new ScriptedDatabase({}).start();
  await using holdfast = client(database);
  const db = holdfast.database();
  const controller = new AbortController();
  const slow = db.query('slow', [], { signal: controller.signal });
  await database.happened('slow');
  controller.abort(new Error('enough'));
  await expect(slow).rejects.toMatchObject({ reason: 'CANCELLED', cause: new Error('enough') });
  await database.happened('cancelled');
  await expect(db.query('q', [], { signal: controller.signal })).rejects.toMatchObject({
    reason: 'CANCELLED',
  });
  await expect(db.query('q', [], { deadlineMs: 0 })).rejects.toMatchObject({
    reason: 'INVALID_REQUEST',
  });
  expect(database.events).not.toContain('q');
});

test('a call in flight when the sidecar goes fails, and without a sidecar calls say that they were not sent', async () => {
  await using database = await new ScriptedDatabase({}).start();
  await using holdfast = client(database);
  const db = holdfast.database();
  const outcome = Promise.allSettled([db.query('slow', [], { deadlineMs: Infinity })]);
  await database.happened('slow');
  database.stop();
  expect(await outcome).toMatchObject([{ reason: { reason: 'SIDECAR_LOST' } }]);
  await expect(db.query('q', [], { deadlineMs: 60 })).rejects.toMatchObject({
    reason: 'SIDECAR_UNAVAILABLE',
  });
  await expect(db.stream('q', [], { deadlineMs: 60 }).next()).rejects.toMatchObject({
    reason: 'SIDECAR_UNAVAILABLE',
  });
});

test('an answer that cannot be decoded is an error', async () => {
  const odd = { columns: [{ name: 'a', typeOid: 23, typeModifier: -1 }], rows: [{ cells: [] }] };
  await using database = await new ScriptedDatabase({
    onQuery: () => odd,
    onStream: (stream) => stream.sendRaw(Buffer.from([0x0a])),
  }).start();
  await using holdfast = client(database);
  const db = holdfast.database();
  await expect(db.query('q')).rejects.toMatchObject({ reason: 'DECODE_FAILED' });
  await expect(db.stream('q').next()).rejects.toMatchObject({ reason: 'DECODE_FAILED' });
});

test('close waits for answers, not for ever, and ends streams', async () => {
  const columns = [{ name: 'a', typeOid: 23, typeModifier: -1 }];
  await using database = await new ScriptedDatabase({
    onStream: (stream) => stream.send({ columns, rows: [{ cells: [{ text: '1' }] }] }),
  }).start();
  const holdfast = client(database);
  const db = holdfast.database();
  const rows = db.stream('rows');
  expect(await rows.next()).toEqual({ done: false, value: { a: 1 } });
  const outcome = Promise.allSettled([db.query('slow'), rows.next()]);
  await database.happened('slow');
  await holdfast.close({ graceMs: 30 });
  const closed = { reason: { reason: 'CLIENT_CLOSED' } };
  expect(await outcome).toMatchObject([closed, closed]);
  await expect(db.query('q')).rejects.toMatchObject({ reason: 'CLIENT_CLOSED' });
  await expect(db.stream('q').next()).rejects.toMatchObject({ reason: 'CLIENT_CLOSED' });
});

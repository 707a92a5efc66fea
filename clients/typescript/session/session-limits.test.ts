import { expect, test } from 'vitest';
import { connect, type Holdfast } from '../connect.ts';
import { oneCell, type ReceivedFrame, ScriptedSidecar } from './scripted-sidecar.test-kit.ts';

/** Answers queries with their own text, and everything else with what it asks for. */
function echo({ request, query }: ReceivedFrame): Record<string, unknown> {
  return query === undefined ? { [request]: {} } : { query: oneCell(query.sql) };
}

const client = (sidecar: ScriptedSidecar): Holdfast =>
  connect({ address: sidecar.address, deadlineMs: 5_000 });

/** Lets everything run that is ready, network included. */
const soon = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 30));

test('calls beyond the limits wait in the client, in order, and go out as room comes', async () => {
  const inFlight = new Set<number>();
  let most = 0;
  await using sidecar = await new ScriptedSidecar({
    limits: { maxInFlight: 8 },
    onFrame: (frame, session) => {
      inFlight.add(frame.id);
      most = Math.max(most, inFlight.size);
      setTimeout(() => {
        inFlight.delete(frame.id);
        session.send({ id: frame.id, ...echo(frame) });
      }, 2);
      return undefined;
    },
  }).start();
  await using holdfast = client(sidecar);
  const db = holdfast.database();
  const sql = Array.from({ length: 60 }, (_, index) => `q${index}`);
  await Promise.all(sql.map((each) => db.query(each)));
  expect(sidecar.sql).toEqual(sql);
  // An eighth is kept for transactions.
  expect(most).toBe(7);
});

test('calls beyond the bytes in flight wait, and one that can never fit is refused', async () => {
  let bytes = 0;
  let most = 0;
  await using sidecar = await new ScriptedSidecar({
    limits: { maxInFlightBytes: 10_000, maxMessageBytes: 8_000 },
    onFrame: (frame, session) => {
      const size = frame.query?.sql.length ?? 0;
      bytes += size;
      most = Math.max(most, bytes);
      setTimeout(() => {
        bytes -= size;
        session.send({ id: frame.id, ...echo(frame) });
      }, 2);
      return undefined;
    },
  }).start();
  await using holdfast = client(sidecar);
  const db = holdfast.database();
  await Promise.all(Array.from({ length: 20 }, () => db.query('x'.repeat(3_000))));
  expect(most).toBeLessThanOrEqual(10_000);
  await expect(db.query('x'.repeat(8_001))).rejects.toMatchObject({
    code: 'RESOURCE_EXHAUSTED',
    reason: 'SESSION_LIMIT',
  });
  await db.query('still fine');
});

test('no message is larger than the sidecar takes', async () => {
  await using sidecar = await new ScriptedSidecar({
    limits: { maxMessageBytes: 5_000 },
    onFrame: echo,
  }).start();
  await using holdfast = client(sidecar);
  const db = holdfast.database();
  await db.query('connect');
  await Promise.all(Array.from({ length: 10 }, () => db.query('y'.repeat(2_000))));
  expect(sidecar.messages).toEqual([1, 2, 2, 2, 2, 2]);
});

test('a call that waits for room gives up at its deadline or its signal, and is never sent', async () => {
  await using sidecar = await new ScriptedSidecar({
    limits: { maxInFlight: 1 },
    onFrame: (frame) => (frame.query?.sql === 'blocks' ? undefined : echo(frame)),
  }).start();
  await using holdfast = client(sidecar);
  const db = holdfast.database();
  const first = db.query('blocks', [], { deadlineMs: 400 });
  const controller = new AbortController();
  const late = db.query('late', [], { deadlineMs: 50 });
  const dropped = db.query('dropped', [], { signal: controller.signal });
  setTimeout(() => controller.abort(), 20);
  await expect(dropped).rejects.toMatchObject({ reason: 'CANCELLED' });
  await expect(late).rejects.toMatchObject({ reason: 'DEADLINE_EXCEEDED' });
  await expect(first).rejects.toMatchObject({ reason: 'DEADLINE_EXCEEDED' });
  await soon();
  expect(sidecar.sql).toEqual(['blocks']);
});

test('a sidecar that stops reading stops the writing; all calls are answered in order when it reads again', async () => {
  await using sidecar = await new ScriptedSidecar({
    limits: { maxInFlight: 1_000, maxInFlightBytes: 100_000_000 },
    onFrame: (frame, session) => {
      if (frame.query?.sql === 'stop') session.pause();
      return echo(frame);
    },
  }).start();
  await using holdfast = client(sidecar);
  const db = holdfast.database();
  await db.query('stop');
  const sql: string[] = [];
  const answers: Promise<unknown>[] = [];
  for (let turn = 0; turn < 100; turn += 1) {
    const text = `${turn} ${'z'.repeat(20_000)}`;
    sql.push(text);
    answers.push(db.query(text));
    // Each in a message of its own, so that more wait than the stream buffers.
    await new Promise((resolve) => setImmediate(resolve));
  }
  const controller = new AbortController();
  const given = db.query('given up', [], { signal: controller.signal });
  controller.abort();
  await expect(given).rejects.toMatchObject({ reason: 'CANCELLED' });
  expect(sidecar.sql.length).toBeLessThan(50);
  sidecar.sessions[0]?.resume();
  await Promise.all(answers);
  expect(sidecar.sql).toEqual(['stop', ...sql]);
});

test('a request that is too large is refused, also when it had to wait for the connection', async () => {
  await using sidecar = new ScriptedSidecar({ limits: { maxMessageBytes: 1_000 }, onFrame: echo });
  await using holdfast = client(sidecar);
  const db = holdfast.database();
  const large = db.query('x'.repeat(2_000));
  const small = db.query('small');
  await Promise.all([
    expect(large).rejects.toMatchObject({ reason: 'SESSION_LIMIT' }),
    sidecar.start(),
  ]);
  await small;
});

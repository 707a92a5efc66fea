import { type Metadata, status } from '@grpc/grpc-js';
import { describe, expect, test } from 'vitest';
import { connect, type ConnectOptions, type Holdfast } from '../connect.ts';
import { oneCell, type ReceivedFrame, ScriptedSidecar } from './scripted-sidecar.test-kit.ts';

function echo({ request, query }: ReceivedFrame): Record<string, unknown> | undefined {
  if (query?.sql === 'hangs') return undefined;
  return query === undefined ? { [request]: {} } : { query: oneCell(query.sql) };
}

const client = (sidecar: ScriptedSidecar, options: Partial<ConnectOptions> = {}): Holdfast =>
  connect({ address: sidecar.address, deadlineMs: 5_000, ...options });

test('a call in flight when the sidecar goes fails, says that it may have run, and is never repeated', async () => {
  await using sidecar = await new ScriptedSidecar({ onFrame: echo }).start();
  await using holdfast = client(sidecar);
  const db = holdfast.database();
  const hanging = db.query('hangs');
  await sidecar.received(1);
  sidecar.stop();
  await expect(hanging).rejects.toMatchObject({
    code: 'UNAVAILABLE',
    reason: 'SIDECAR_LOST',
    message: expect.stringContaining('may have run, or not') as unknown,
  });
  await sidecar.start();
  await expect(db.query('next')).resolves.toMatchObject({ rows: [{ value: 'next' }] });
  expect(sidecar.sql).toEqual(['hangs', 'next']);
  expect(sidecar.sessions).toHaveLength(2);
});

test('calls made while the sidecar is away wait for it', async () => {
  await using sidecar = new ScriptedSidecar({ onFrame: echo });
  await using holdfast = client(sidecar);
  const db = holdfast.database();
  const early = [db.query('a'), db.query('b')];
  await new Promise((resolve) => setTimeout(resolve, 150));
  await sidecar.start();
  await Promise.all(early);
  expect(sidecar.sql).toEqual(['a', 'b']);
});

test('without a sidecar a call fails at its deadline, and says that it was not sent', async () => {
  await using sidecar = new ScriptedSidecar();
  await using holdfast = client(sidecar);
  await expect(holdfast.database().query('q', [], { deadlineMs: 80 })).rejects.toMatchObject({
    code: 'UNAVAILABLE',
    reason: 'SIDECAR_UNAVAILABLE',
  });
});

test('a transaction dies with its session; none of its calls runs in the next one', async () => {
  await using sidecar = await new ScriptedSidecar({ onFrame: echo }).start();
  await using holdfast = client(sidecar);
  const db = holdfast.database();
  await using tx = await db.begin();
  await tx.query('one');
  const hanging = tx.query('hangs');
  await sidecar.received(3);
  sidecar.stop();
  await expect(hanging).rejects.toMatchObject({ reason: 'SIDECAR_LOST' });
  await sidecar.start();
  await db.query('outside');
  expect(tx.isOver).toBe(true);
  await expect(tx.query('two')).rejects.toMatchObject({ reason: 'SIDECAR_LOST' });
  await expect(tx.commit()).rejects.toMatchObject({ reason: 'SIDECAR_LOST' });
  await tx.rollback();
  expect(sidecar.sql).toEqual(['one', 'hangs', 'outside']);
});

test('a commit in flight when the sidecar goes is COMMIT_UNKNOWN', async () => {
  await using sidecar = await new ScriptedSidecar({
    onFrame: (frame) => (frame.request === 'commit' ? undefined : echo(frame)),
  }).start();
  await using holdfast = client(sidecar);
  const tx = await holdfast.database().begin();
  const commit = tx.commit();
  await sidecar.received(2);
  sidecar.stop();
  await expect(commit).rejects.toMatchObject({ code: 'UNKNOWN', reason: 'COMMIT_UNKNOWN' });
});

test('a sidecar that ends sessions before they begin is asked again, after pauses', async () => {
  let refusals = 0;
  await using sidecar = await new ScriptedSidecar({
    onFrame: echo,
    onOpen: (session) => {
      if (refusals === 3) return false;
      refusals += 1;
      session.end(status.UNAVAILABLE, 'draining');
      return true;
    },
  }).start();
  await using holdfast = client(sidecar);
  const start = performance.now();
  await holdfast.database().query('q');
  // 25 + 50 + 100.
  expect(performance.now() - start).toBeGreaterThan(150);
  expect(sidecar.sessions).toHaveLength(4);
});

test('a token that the sidecar does not take fails the calls at once', async () => {
  const seen: unknown[] = [];
  await using sidecar = await new ScriptedSidecar({
    onFrame: echo,
    onOpen: (session, metadata: Metadata) => {
      seen.push(metadata.get('authorization')[0]);
      session.end(status.UNAUTHENTICATED, 'no');
      return true;
    },
  }).start();
  await using holdfast = client(sidecar, { token: 'wrong' });
  const db = holdfast.database();
  await expect(db.query('q')).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
  // The next call tries again.
  await expect(db.query('q')).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
  expect(seen).toEqual(['Bearer wrong', 'Bearer wrong']);
});

test.each([
  ['bytes that are no message', Buffer.from('zzz')],
  ['an answer that nobody waits for', Buffer.from([0x0a, 0x02, 0x08, 0x63])],
])('%s end the session; calls in flight fail, later ones go on', async (_, bytes) => {
  await using sidecar = await new ScriptedSidecar({ onFrame: echo }).start();
  await using holdfast = client(sidecar);
  const db = holdfast.database();
  const hanging = db.query('hangs');
  await sidecar.received(1);
  sidecar.sessions[0]?.sendRaw(bytes);
  await expect(hanging).rejects.toMatchObject({
    reason: 'SIDECAR_LOST',
    cause: { reason: 'SESSION_PROTOCOL' },
  });
  await db.query('next');
  expect(sidecar.sessions).toHaveLength(2);
});

test('a status that ends the session is the cause of what its calls fail with', async () => {
  await using sidecar = await new ScriptedSidecar({ onFrame: echo }).start();
  await using holdfast = client(sidecar);
  const hanging = holdfast.database().query('hangs');
  await sidecar.received(1);
  sidecar.sessions[0]?.end(status.RESOURCE_EXHAUSTED, 'stalled');
  await expect(hanging).rejects.toMatchObject({
    reason: 'SIDECAR_LOST',
    cause: { code: 'RESOURCE_EXHAUSTED', message: 'stalled' },
  });
});

test('close waits for the answers under way, and takes no more calls', async () => {
  await using sidecar = await new ScriptedSidecar({
    onFrame: (frame, session) => {
      setTimeout(() => session.send({ id: frame.id, ...echo(frame) }), 30);
      return undefined;
    },
  }).start();
  const holdfast = client(sidecar);
  const db = holdfast.database();
  await db.query('connect');
  const last = db.query('last');
  const closing = holdfast.close();
  await expect(db.query('q')).rejects.toMatchObject({ reason: 'CLIENT_CLOSED' });
  await expect(last).resolves.toMatchObject({ rows: [{ value: 'last' }] });
  await closing;
  await holdfast.close();
});

test('close does not wait for ever: unanswered calls fail, a commit as unknown', async () => {
  await using sidecar = await new ScriptedSidecar({
    onFrame: (frame) => (frame.request === 'commit' ? undefined : echo(frame)),
  }).start();
  const holdfast = client(sidecar);
  const db = holdfast.database();
  const tx = await db.begin();
  const settled = Promise.allSettled([db.query('hangs'), tx.commit()]);
  await sidecar.received(3);
  await holdfast.close({ graceMs: 30 });
  expect(await settled).toMatchObject([
    { reason: { reason: 'CLIENT_CLOSED' } },
    { reason: { reason: 'COMMIT_UNKNOWN' } },
  ]);
});

test('close fails what was never sent', async () => {
  await using sidecar = new ScriptedSidecar();
  const holdfast = client(sidecar);
  const waiting = holdfast.database().query('q');
  const closing = holdfast.close();
  await expect(waiting).rejects.toMatchObject({ reason: 'CLIENT_CLOSED' });
  await closing;
});

describe('a sidecar that says that it stops', () => {
  const says = { id: 0, draining: { graceMs: 1_000 } };
  /** Answers nothing but what the test answers. */
  const waiting = ({ request, query }: ReceivedFrame): Record<string, unknown> | undefined =>
    query?.sql === 'next' || request === 'begin' || request === 'commit'
      ? echo({ request, query } as ReceivedFrame)
      : undefined;

  test('gets no new calls: they wait for the next session, which begins when all is answered', async () => {
    await using sidecar = await new ScriptedSidecar({ onFrame: waiting }).start();
    await using holdfast = client(sidecar);
    const db = holdfast.database();
    const accepted = db.query('accepted');
    await sidecar.received(1);
    const [first] = sidecar.sessions;
    first?.send(says);
    await new Promise((resolve) => setTimeout(resolve, 20));
    const next = db.query('next');
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(sidecar.sql).toEqual(['accepted']);
    first?.send({ id: sidecar.frames[0]?.id, query: oneCell('accepted') });
    expect((await accepted).rows).toEqual([{ value: 'accepted' }]);
    expect((await next).rows).toEqual([{ value: 'next' }]);
    expect(sidecar.sessions).toHaveLength(2);
  });

  test('may end its transactions', async () => {
    await using sidecar = await new ScriptedSidecar({ onFrame: waiting }).start();
    await using holdfast = client(sidecar);
    const db = holdfast.database();
    const tx = await db.begin();
    sidecar.sessions[0]?.send(says);
    await new Promise((resolve) => setTimeout(resolve, 20));
    const outside = db.query('next');
    expect((await tx.query('next')).rows).toEqual([{ value: 'next' }]);
    expect(sidecar.sessions).toHaveLength(1);
    await tx.commit();
    await outside;
    expect(sidecar.sessions).toHaveLength(2);
    expect(sidecar.frames.map(({ request }) => request)).toEqual([
      'begin',
      'query',
      'commit',
      'query',
    ]);
  });

  test('is left at once by those who wait for nothing', async () => {
    await using sidecar = await new ScriptedSidecar({ onFrame: echo }).start();
    await using holdfast = client(sidecar);
    const db = holdfast.database();
    await db.query('one');
    sidecar.sessions[0]?.send(says);
    await new Promise((resolve) => setTimeout(resolve, 20));
    await db.query('two');
    expect(sidecar.sessions).toHaveLength(2);
  });

  test('and stays away: a call that waits fails at its deadline, and was not sent', async () => {
    await using sidecar = await new ScriptedSidecar({ onFrame: waiting }).start();
    await using holdfast = client(sidecar);
    const db = holdfast.database();
    const accepted = db.query('accepted').catch(() => {});
    await sidecar.received(1);
    sidecar.sessions[0]?.send(says);
    await new Promise((resolve) => setTimeout(resolve, 20));
    await expect(db.query('next', [], { deadlineMs: 50 })).rejects.toMatchObject({
      reason: 'SIDECAR_UNAVAILABLE',
    });
    sidecar.stop();
    await accepted;
  });
});

test('statements behind a Begin whose time was up before it could be sent fail with it', async () => {
  await using holdfast = connect({ address: 'unix:/nowhere/s.sock', deadlineMs: 5_000 });
  const since = performance.now();
  const work = holdfast.database().transaction((tx) => tx.query('never sent'), { deadlineMs: 50 });
  await expect(work).rejects.toMatchObject({ reason: 'SIDECAR_UNAVAILABLE' });
  expect(performance.now() - since).toBeLessThan(2_500);
});

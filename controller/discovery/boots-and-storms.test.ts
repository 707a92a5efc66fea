import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../platform/clock.ts';
import { snapshot, startTestBed } from './discovery.test-kit.ts';

test('a newer boot of a pod takes the place of the older, which comes back in vain', async () => {
  const bed = await startTestBed();
  const older = await bed.join('a', 5);
  const newer = await bed.join('a', 6);
  expect(await older.status()).toBe('FAILED_PRECONDITION: a newer boot of this pod is connected');
  const again = bed.client('shop.a');
  again.send({ hello: { boot: 5 } });
  expect(await again.status()).toBe('FAILED_PRECONDITION: a newer boot of this pod is connected');

  expect(bed.changes.map(({ kind, sidecar }) => `${kind} ${sidecar.boot}`)).toEqual([
    'connected 5',
    'connected 6',
  ]);
  bed.snapshots.set('*', snapshot('v1'));
  bed.server.policiesChanged();
  await newer.until(() => newer.versions.length === 1);
});

test('boots are compared as whole numbers, whatever their size', async () => {
  const bed = await startTestBed();
  const older = bed.client('shop.a');
  older.send({ hello: { boot: '9007199254740992' } });
  await older.until(() => bed.fleet.size === 1);
  const newer = bed.client('shop.a');
  newer.send({ hello: { boot: '9007199254740993' } });
  expect(await older.status()).toMatch(/^FAILED_PRECONDITION/);
  const shorter = bed.client('shop.a');
  shorter.send({ hello: { boot: 99 } });
  expect(await shorter.status()).toMatch(/^FAILED_PRECONDITION/);
  expect(bed.fleet.sidecar('uid-a')?.boot).toBe('9007199254740993');
});

test('the same boot that connects again takes the place of its stream, and what the old one says counts no more', async () => {
  const bed = await startTestBed();
  const first = await bed.join('a', 5);
  const second = bed.client('shop.a');
  second.send({ hello: { boot: 5, policyVersion: 'v7' } });
  expect(await first.status()).toBe('ABORTED: this boot has another stream');
  first.send({ report: { version: 'v8' } });
  expect(bed.fleet.applied('uid-a')).toBe('v7');
  second.stream.end();
  await second.until(() => !bed.fleet.connected('uid-a'));
});

test('a boot that comes when the newer one has gone is served', async () => {
  const bed = await startTestBed();
  const newer = await bed.join('a', 6);
  newer.close();
  await newer.until(() => bed.fleet.size === 0);
  await bed.join('a', 5);
  expect(bed.fleet.sidecar('uid-a')?.boot).toBe('5');
});

test('when all connect at once, over and over, each ends with one stream and the newest policies', async () => {
  const bed = await startTestBed();
  const [pods, storms] = [25, 4];
  bed.snapshots.set('*', snapshot('v0'));
  let clients: ReturnType<typeof bed.client>[] = [];
  for (let storm = 1; storm <= storms; storm += 1) {
    const before = clients;
    clients = Array.from({ length: pods }, (_, pod) => {
      const client = bed.client(`shop.p${pod}`);
      client.send({ hello: { boot: storm, policyVersion: 'v0' } });
      return client;
    });
    // Half go on purpose, half are replaced.
    for (const client of before.slice(0, pods / 2)) client.close();
    bed.snapshots.set('*', snapshot(`v${storm}`));
    bed.server.policiesChanged();
  }
  const newest = `v${storms}`;
  for (const client of clients) await client.until(() => client.versions.at(-1) === newest);
  expect(bed.fleet.size).toBe(pods);
  expect([...bed.fleet.sidecars()].map(({ boot }) => boot)).toEqual(
    Array.from({ length: pods }, () => String(storms)),
  );
  expect(bed.reviewed).toHaveLength(pods); // reviews are kept
  const [come, gone] = ['connected', 'disconnected'].map(
    (kind) => bed.changes.filter((change) => change.kind === kind).length,
  );
  expect((come ?? 0) - (gone ?? 0)).toBeGreaterThanOrEqual(pods);
});

test('a server that stops ends all streams within a second, and serves nobody any more', async () => {
  const bed = await startTestBed();
  const clients = await Promise.all(['a', 'b', 'c'].map((pod) => bed.join(pod)));
  const greeting = bed.client('shop.late');
  await greeting.until(() => bed.reviewed.length === 4);
  const stopped = bed.server.stop();
  greeting.send({ hello: { boot: 1 } });
  for (const client of [...clients, greeting]) {
    expect(await client.status()).toMatch(/^UNAVAILABLE: this controller stops/);
  }
  await stopped;
  expect(bed.fleet.size).toBe(0);
  const [refused] = (await once(connect(bed.port, '127.0.0.1'), 'error')) as [Error];
  expect(refused.message).toContain('ECONNREFUSED');
});

test('a server stops while a sidecar reads nothing', async () => {
  const bed = await startTestBed();
  const client = await bed.join('a');
  client.stream.pause();
  // Until a push has been under way for long.
  for (let [at, idle] = [0, 0]; idle < 10; at += 1) {
    const { asked } = bed;
    bed.snapshots.set('*', snapshot(`v${at}`, 500_000));
    bed.server.policiesChanged();
    await systemClock.sleep(20);
    idle = bed.asked === asked ? idle + 1 : 0;
  }
  const fromMs = systemClock.now();
  await bed.server.stop();
  expect(systemClock.now() - fromMs).toBeLessThan(3_000);
});

test('connections that speak no TLS, or nothing, end without harm', async () => {
  const bed = await startTestBed();
  const sockets = Array.from({ length: 20 }, (_, at): Socket => {
    const socket = connect(bed.port, '127.0.0.1');
    socket.on('error', () => undefined);
    if (at % 2 === 0) socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
    onTestFinished(() => void socket.destroy());
    return socket;
  });
  await bed.join('a');
  expect(sockets).toHaveLength(20);
  sockets.forEach((socket) => socket.destroy());
});

test('a port that another process has is not taken', async () => {
  const bed = await startTestBed();
  const other = await startTestBed();
  await expect(other.server.listen('127.0.0.1', bed.port)).rejects.toThrow(
    `cannot listen on 127.0.0.1:${bed.port}: listen EADDRINUSE`,
  );
});

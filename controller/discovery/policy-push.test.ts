import { expect, test } from 'vitest';
import { systemClock } from '../../platform/clock.ts';
import { snapshot, startTestBed } from './discovery.test-kit.ts';

test('a sidecar gets its policies behind its Hello, and what it says of them is known', async () => {
  const bed = await startTestBed();
  bed.snapshots.set('uid-a', snapshot('v1'));
  const client = await bed.join('a');
  await client.until(() => client.messages.length > 0);
  expect(client.messages[0]).toMatchObject({
    message: 'policy',
    policy: { version: 'v1', policies: [{ name: 'orders', generation: '1' }] },
  });
  expect(bed.fleet.sidecar('uid-a')).toMatchObject({
    pod: { namespace: 'shop', podName: 'a', podUid: 'uid-a' },
    boot: '1',
    version: '1.2.3',
    applied: '',
  });
  expect(bed.fleet.sidecar('uid-a')?.address).toMatch(/^127\.0\.0\.1:\d+$/);

  client.send({ report: { version: 'v1', restartRequired: ['secret "db" is not mounted'] } });
  await client.until(() => bed.fleet.applied('uid-a') === 'v1');
  expect(bed.fleet.sidecar('uid-a')?.restartRequired).toEqual(['secret "db" is not mounted']);
  client.stream.end();
  expect(await client.status()).toBe('OK: OK');
  expect(bed.fleet.connected('uid-a')).toBe(false);
  expect(bed.fleet.applied('uid-a')).toBeUndefined();
  expect(bed.changes.map(({ kind }) => kind)).toEqual(['connected', 'reported', 'disconnected']);
});

test('a sidecar that has the newest policies already is not sent them, and counts as having them', async () => {
  const bed = await startTestBed();
  bed.snapshots.set('*', snapshot('v1'));
  const client = await bed.join('a', 1, 'v1');
  expect(bed.fleet.applied('uid-a')).toBe('v1');
  bed.snapshots.set('*', snapshot('v2'));
  bed.server.policiesChanged();
  await client.until(() => client.versions.length > 0);
  expect(client.versions).toEqual(['v2']);
});

test('a pod that the watch does not know yet is sent nothing, and its policies as soon as it is known', async () => {
  const bed = await startTestBed();
  const client = await bed.join('a');
  bed.server.policiesChanged();
  await client.until(() => bed.asked >= 2);
  expect(client.versions).toEqual([]);
  bed.snapshots.set('uid-a', snapshot('v1'));
  bed.server.podChanged('uid-a');
  await client.until(() => client.versions.length > 0);
  expect(client.versions).toEqual(['v1']);
});

test('a change of a namespace is sent to its pods only', async () => {
  const bed = await startTestBed();
  bed.snapshots.set('*', snapshot('v1'));
  const shop = await bed.join('a');
  const bank = bed.client('bank.b');
  bank.send({ hello: { boot: 1 } });
  await bank.until(() => bank.versions.length + shop.versions.length === 2);
  bed.snapshots.set('*', snapshot('v2'));
  bed.server.policiesChanged('bank');
  await bank.until(() => bank.versions.length === 2);
  bed.server.policiesChanged('bank');
  expect([shop.versions, bank.versions]).toEqual([['v1'], ['v1', 'v2']]);
});

test('a sidecar that refuses stays on what it has, and hears when the change is taken back', async () => {
  const bed = await startTestBed();
  bed.snapshots.set('*', snapshot('v1'));
  const client = await bed.join('a', 1, 'v1');
  bed.snapshots.set('*', snapshot('v2'));
  bed.server.policiesChanged();
  await client.until(() => client.versions.length === 1);
  const fault = { policy: 'orders', field: 'spec.postgres[0]', message: 'too many' };
  client.send({ report: { version: 'v2', faults: [fault] } });
  await client.until(() => bed.fleet.sidecar('uid-a')?.rejected !== undefined);
  expect(bed.fleet.sidecar('uid-a')).toMatchObject({
    applied: 'v1',
    rejected: { version: 'v2', faults: [fault] },
  });

  bed.server.policiesChanged(); // no other content: nobody asks twice
  bed.snapshots.set('*', snapshot('v1'));
  bed.server.policiesChanged();
  await client.until(() => client.versions.length === 2);
  client.send({ report: { version: 'v1' } });
  await client.until(() => bed.fleet.sidecar('uid-a')?.rejected === undefined);
  expect(client.versions).toEqual(['v2', 'v1']);
  expect(await bed.metric('snapshots_sent_total')).toBe(2);
  expect(await bed.metric('snapshots_rejected_total')).toBe(1);
  expect(await bed.metric('snapshots_acknowledged_total')).toBe(1);
  expect(await bed.metric('push_seconds_count')).toBe(1);
  expect(await bed.metric('sidecars_connected')).toBe(1);
});

test('a sidecar that does not read is sent the newest policies only, and others do not wait for it', async () => {
  const bed = await startTestBed();
  const size = 200_000; // far more than its window
  bed.snapshots.set('*', snapshot('v0', size));
  const slow = await bed.join('slow');
  const quick = await bed.join('quick');
  await slow.until(() => slow.versions.length === 1 && quick.versions.length === 1);
  slow.stream.pause();
  for (let at = 1; at <= 60; at += 1) {
    bed.snapshots.set('*', snapshot(`v${at}`, size));
    bed.server.policiesChanged();
    await quick.until(() => quick.versions.length === at + 1);
  }
  slow.stream.resume();
  await slow.until(() => slow.versions.at(-1) === 'v60');
  // Its own gRPC keeps 16.
  expect(slow.versions.length).toBeLessThan(25);
});

test('changes of one turn are one push', async () => {
  const bed = await startTestBed();
  const client = await bed.join('a');
  bed.asked = 0;
  for (let at = 1; at <= 50; at += 1) {
    bed.snapshots.set('*', snapshot(`v${at}`));
    bed.server.policiesChanged();
  }
  await client.until(() => client.versions.length > 0);
  await systemClock.sleep(20);
  expect([client.versions, bed.asked]).toEqual([['v50'], 1]);
});

test('a fault in another part of the controller costs a push, not the stream', async () => {
  const bed = await startTestBed();
  bed.snapshots.set('*', snapshot('v1'));
  const client = await bed.join('a');
  await client.until(() => client.versions.length === 1);
  const get = bed.snapshots.get.bind(bed.snapshots);
  bed.snapshots.get = () => {
    throw new Error('not now');
  };
  bed.snapshots.set('*', snapshot('v2'));
  bed.asked = 0;
  bed.server.policiesChanged();
  await client.until(() => bed.asked > 0);
  bed.snapshots.get = get;
  bed.server.policiesChanged();
  await client.until(() => client.versions.length === 2);
  expect(client.versions).toEqual(['v1', 'v2']);
});

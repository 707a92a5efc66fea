import { expect, test } from 'vitest';
import { startTestBed, testCertificate } from './discovery.test-kit.ts';

const heartbeat = { budget: 'main', number: 7, share: 2, demand: 5, ports: [40_001, 40_002] };

test('a heartbeat is answered with its grant', async () => {
  const bed = await startTestBed();
  bed.grant = ({ boot }, { budget, number }) => ({ budget, boot, epoch: 3, answers: number });
  const client = await bed.join('a', 12);
  client.send({ heartbeat: { ...heartbeat, waiting: 3, oldestWaitMs: 40, refusals: 1 } });
  await client.until(() => client.messages.length > 0);
  expect(client.messages).toMatchObject([
    { grant: { budget: 'main', boot: '12', epoch: '3', answers: '7' } },
  ]);
  expect(bed.heartbeats).toMatchObject([
    { sidecar: { pod: { podName: 'a' } }, heartbeat: { number: '7' } },
  ]);
  expect(bed.fleet.sidecar('uid-a')?.demands.get('main')).toEqual({
    share: 2,
    demand: 5,
    sockets: 2,
    waiting: 3,
    oldestWaitMs: 40,
    refusals: '1',
  });
});

test('a replica that does not lead answers no heartbeat', async () => {
  const bed = await startTestBed();
  bed.leader = { isSelf: false, address: 'leader:8443' };
  const client = await bed.join('a');
  client.send({ heartbeat });
  await client.until(() => bed.heartbeats.length === 1 && client.messages.length > 0);
  expect(client.messages).toMatchObject([{ message: 'redirect' }]);
});

test('books that fail cost an answer, not the stream', async () => {
  const bed = await startTestBed();
  bed.grant = () => {
    throw new Error('the books are closed');
  };
  const client = await bed.join('a');
  client.send({ heartbeat });
  await client.until(() => bed.heartbeats.length === 1);
  bed.grant = ({ boot }, { budget }) => ({ budget, boot });
  client.send({ heartbeat });
  await client.until(() => client.messages.length === 1);
  expect(client.messages).toMatchObject([{ message: 'grant' }]);
});

test('sidecars hear where the leader is when that is known, when it changes, and not twice', async () => {
  const bed = await startTestBed();
  const early = await bed.join('a');
  bed.leader = { isSelf: false, address: 'one:8443' };
  bed.server.leaderChanged();
  bed.server.leaderChanged();
  await early.until(() => early.messages.length === 1);
  const late = await bed.join('b');
  await late.until(() => late.messages.length === 1);
  bed.leader = { isSelf: false, address: 'two:8443' };
  bed.server.leaderChanged();
  await early.until(() => early.messages.length + late.messages.length === 4);
  const addresses = [early, late].map(({ messages }) => messages.map((m) => m.redirect?.address));
  expect(addresses).toEqual([
    ['one:8443', 'two:8443'],
    ['one:8443', 'two:8443'],
  ]);
});

test('a leader sends nobody away, and who led before is named again after it', async () => {
  const bed = await startTestBed();
  bed.leader = { isSelf: false, address: 'one:8443' };
  const client = await bed.join('a');
  await client.until(() => client.messages.length === 1);
  bed.leader = { isSelf: true, address: 'self:8443' };
  bed.server.leaderChanged();
  bed.grant = ({ boot }, { budget }) => ({ budget, boot });
  client.send({ heartbeat });
  await client.until(() => client.messages.length === 2);
  await new Promise((resolve) => setImmediate(resolve));
  const other = await bed.join('b');
  other.send({ heartbeat });
  await other.until(() => other.messages.length === 1);
  expect(client.messages[1]).toMatchObject({ message: 'grant' });
  expect(other.messages).toMatchObject([{ message: 'grant' }]);
});

test('new connections get the new certificate, streams go on, and hear whom to believe', async () => {
  const bed = await startTestBed();
  const [first, second] = [testCertificate('first'), testCertificate('second')];
  bed.rotate(first);
  const client = await bed.join('a');
  await client.until(() => client.messages.length === 1);
  bed.rotate(second);
  await client.until(() => client.messages.length === 2);
  expect(client.messages.map((message) => message.trust?.pem)).toEqual([
    first.authorities,
    second.authorities,
  ]);
  client.send({ heartbeat });
  await client.until(() => bed.heartbeats.length === 1);

  const old = bed.client('shop.old', { authorities: first.authorities });
  old.send({ hello: { boot: 1 } });
  expect(await old.status()).toMatch(/^UNAVAILABLE/);
  const fresh = bed.client('shop.fresh', { authorities: second.authorities });
  fresh.send({ hello: { boot: 1 } });
  await fresh.until(() => bed.fleet.connected('uid-fresh'));
});

test('a certificate whose key is another’s is not taken', async () => {
  const bed = await startTestBed();
  bed.rotate({ ...testCertificate('second'), key: testCertificate('first').key });
  await bed.join('a');
  expect(bed.fleet.size).toBe(1);
});

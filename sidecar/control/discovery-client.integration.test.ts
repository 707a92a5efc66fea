import { createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import { type Clock, systemClock } from '../../platform/clock.ts';
import { makeLogger } from '../../platform/logger.ts';
import { freePort } from '../../scripts/servers/free-port.ts';
import { certificate } from '../redis/tls-certificate.test-kit.ts';
import { DiscoveryClient } from './discovery-client.ts';
import { TestController } from './discovery-server.test-kit.ts';
import { ownCertificate } from './own-certificate.test-kit.ts';

const soon = { interval: 5, timeout: 8_000 };
const open: DiscoveryClient[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((client) => client.stop()));
});

function startClient(home: string, more: { random?: () => number; clock?: Clock } = {}) {
  const place = { serverName: 'localhost', ca: certificate, token: 'token-1' };
  const seen = { connected: 0, failed: 0, trust: [] as string[], place };
  const client = new DiscoveryClient({
    clock: more.clock ?? systemClock,
    random: more.random ?? (() => 0.1),
    log: makeLogger('silent', 'test'),
    events: {
      connected: () => (seen.connected += 1),
      failed: () => (seen.failed += 1),
    },
    home,
    place: () => seen.place,
    greeting: () => [{ hello: { boot: 7, version: 'test', policyVersion: '' } }],
    onMessage: ({ trust, policy }, send) => {
      if (trust) seen.trust.push(trust.pem);
      if (policy) send({ report: { version: policy.version } });
    },
  });
  open.push(client);
  client.start();
  return { client, seen };
}

const expectConnected = (client: DiscoveryClient, { address }: TestController) =>
  expect.poll(() => client.connectedTo, soon).toBe(address);

test('says Hello, answers, carries heartbeats while connected, and loses them otherwise', async () => {
  await using controller = await TestController.start();
  const version = controller.push([]);
  const { client } = startClient(controller.address);
  expect(client.send({ heartbeat: { budget: 'early' } })).toBe(false);
  await expectConnected(client, controller);
  expect(controller.hellos).toEqual([{ boot: '7', version: 'test', policyVersion: '' }]);
  await expect.poll(() => controller.reports, soon).toMatchObject([{ version }]);
  expect(client.send({ heartbeat: { budget: 'orders', number: 1 } })).toBe(true);
  await expect.poll(() => controller.heartbeats, soon).toMatchObject([{ budget: 'orders' }]);
});

test('a controller that says nothing is connected to all the same', async () => {
  await using controller = await TestController.start();
  const { client } = startClient(controller.address);
  await expectConnected(client, controller);
});

test('a token that the controller refuses is read anew for the next connection', async () => {
  await using controller = await TestController.start();
  controller.push([]);
  controller.tokens.clear();
  controller.tokens.add('token-2');
  const { client, seen } = startClient(controller.address);
  await expect.poll(() => client.fault, soon).toBe('UNAUTHENTICATED: no such token');
  expect(client.connectedTo).toBe('');
  seen.place = { ...seen.place, token: 'token-2' };
  await expectConnected(client, controller);
  expect(client.fault).toBe('');
});

test('a controller with a certificate of somebody else, or another name, is told nothing', async () => {
  await using controller = await TestController.start();
  controller.push([]);
  await using stranger = await TestController.start(ownCertificate('localhost'));
  stranger.push([]);
  const { client, seen } = startClient(stranger.address);
  await expect.poll(() => seen.failed, soon).toBeGreaterThan(1);
  expect(stranger.attemptsAtMs).toEqual([]);
  expect(client.fault).toContain('UNAVAILABLE');

  const other = startClient(controller.address);
  await expectConnected(other.client, controller);
  const named = startClient(stranger.address);
  named.seen.place = {
    ...named.seen.place,
    ca: ownCertificate('localhost').certificate,
    serverName: 'other',
  };
  await expect.poll(() => named.seen.failed, soon).toBeGreaterThan(1);
  expect(stranger.attemptsAtMs).toEqual([]);
});

test('authorities beside the first ones are believed, too', async () => {
  const pair = ownCertificate('localhost');
  await using controller = await TestController.start(pair);
  controller.push([]);
  const { client, seen } = startClient(controller.address);
  seen.place = { ...seen.place, ca: `${certificate}\n${pair.certificate}` };
  await expectConnected(client, controller);
});

test('comes back after waits that grow and are drawn by chance', async () => {
  const port = await freePort();
  const waits: number[] = [];
  const clock: Clock = {
    ...systemClock,
    after: (delayMs, ring) => {
      waits.push(delayMs);
      return systemClock.after(Math.min(delayMs, 20), ring);
    },
  };
  const chances = [0.5, 0.1, 0.9, 0.25, 1, 1, 1, 1];
  const { client } = startClient(`127.0.0.1:${port}`, {
    clock,
    random: () => chances.shift() ?? 1,
  });
  await expect.poll(() => waits.length, soon).toBeGreaterThanOrEqual(9);
  expect(waits.slice(0, 9)).toEqual([100, 40, 720, 400, 3_200, 6_400, 10_000, 10_000, 10_000]);
  await using controller = await TestController.start({ port });
  controller.push([]);
  await expectConnected(client, controller);
});

test('a stream that breaks is made anew', async () => {
  await using controller = await TestController.start();
  controller.push([]);
  const { client, seen } = startClient(controller.address);
  await expectConnected(client, controller);
  for (const stream of controller.streams) stream.end();
  await expect.poll(() => seen.connected, soon).toBe(2);
  expect(controller.streams.size).toBe(1);
  expect(seen.failed).toBe(1);
});

test('a controller that takes connections and hangs is left, and found when it is well', async () => {
  const sockets = new Set<Socket>();
  const silent: Server = createServer((socket) => void sockets.add(socket));
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  const { port } = silent.address() as { port: number };
  const { client } = startClient(`127.0.0.1:${port}`);
  await expect.poll(() => client.fault, soon).toBe('it does not answer');
  for (const socket of sockets) socket.destroy();
  await new Promise((resolve) => silent.close(resolve));
  await using controller = await TestController.start({ port });
  controller.push([]);
  await expectConnected(client, controller);
}, 20_000);

test('goes where it is told, and leaves the old stream when the new one is open', async () => {
  await using home = await TestController.start();
  await using leader = await TestController.start();
  leader.push([]);
  home.greeting = [{ redirect: { address: leader.address } }];
  const { client, seen } = startClient(home.address);
  await expectConnected(client, leader);
  await expect.poll(() => home.streams.size, soon).toBe(0);
  expect(leader.streams.size).toBe(1);
  expect(seen).toMatchObject({ connected: 2, failed: 0 });
  // The leader goes: back to where everybody begins.
  home.greeting = [];
  home.push([]);
  leader.stop();
  await expectConnected(client, home);
});

test('an address that is dead leaves it where it is; it goes there when it can', async () => {
  const port = await freePort();
  await using home = await TestController.start();
  home.greeting = [{ redirect: { address: `127.0.0.1:${port}` } }];
  const { client, seen } = startClient(home.address);
  await expect.poll(() => seen.failed, soon).toBeGreaterThan(2);
  expect(client.connectedTo).toBe(home.address);
  expect(home.streams.size).toBe(1);
  expect(home.hellos).toHaveLength(1);
  await using leader = await TestController.start({ port });
  leader.push([]);
  await expectConnected(client, leader);
  await expect.poll(() => home.streams.size, soon).toBe(0);
});

test('two that send it to each other do not make it run in circles', async () => {
  await using one = await TestController.start();
  await using two = await TestController.start();
  one.greeting = [{ redirect: { address: two.address } }];
  two.greeting = [{ redirect: { address: one.address } }];
  startClient(one.address, { random: () => 1 });
  await sleep(2_500);
  // At 0, 0.2, 0.6, 1.4 s.
  expect(one.hellos.length + two.hellos.length).toBeLessThanOrEqual(6);
  expect(one.hellos.length + two.hellos.length).toBeGreaterThanOrEqual(3);
});

test('stopped, it ends its stream and does not come back', async () => {
  await using controller = await TestController.start();
  controller.push([]);
  const { client } = startClient(controller.address);
  await expectConnected(client, controller);
  await client.stop();
  await expect.poll(() => controller.streams.size, soon).toBe(0);
  await sleep(300);
  expect(controller.attemptsAtMs).toHaveLength(1);
});

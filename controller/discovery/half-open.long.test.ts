import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { once } from 'node:events';
import { connect as connectHttp2 } from 'node:http2';
import { expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../platform/clock.ts';
import { startTestBed, testCertificate, tlsName } from './discovery.test-kit.ts';

/** A relay in front of a port that can stop letting anything through, without a word to either side. */
async function startRelay(target: number): Promise<{ readonly port: number; stall(): void }> {
  const sockets: Socket[] = [];
  const relay = createServer((near) => {
    const far = connect(target, '127.0.0.1');
    sockets.push(near, far);
    near.pipe(far).on('error', () => undefined);
    far.pipe(near).on('error', () => undefined);
  });
  relay.listen(0, '127.0.0.1');
  await once(relay, 'listening');
  onTestFinished(() => {
    sockets.forEach((socket) => socket.destroy());
    relay.close();
  });
  const stall = (): void => sockets.forEach((socket) => socket.unpipe().pause());
  return { port: (relay.address() as AddressInfo).port, stall };
}

test('a sidecar whose connection is dead without a word is gone within 30 s, and one that is only silent stays', async () => {
  const bed = await startTestBed();
  const relay = await startRelay(bed.port);
  const dead = bed.client('shop.dead', { port: relay.port });
  dead.send({ hello: { boot: 1 } });
  const silent = await bed.join('silent');
  await dead.until(() => bed.fleet.size === 2);
  relay.stall();
  const fromMs = systemClock.now();
  while (bed.fleet.size === 2 && systemClock.now() - fromMs < 40_000) await systemClock.sleep(100);
  expect(systemClock.now() - fromMs).toBeLessThan(30_000);
  expect([...bed.fleet.sidecars()].map(({ pod }) => pod.podName)).toEqual(['silent']);
  silent.close();
});

test('a connection without a stream is ended, and one with a silent sidecar is not', async () => {
  const bed = await startTestBed();
  const silent = await bed.join('silent');
  const idle = connectHttp2(`https://127.0.0.1:${bed.port}`, {
    ca: testCertificate('first').certificate,
    servername: tlsName,
  });
  onTestFinished(() => idle.destroy());
  const fromMs = systemClock.now();
  await once(idle, 'close');
  expect(systemClock.now() - fromMs).toBeGreaterThan(10_000);
  expect(systemClock.now() - fromMs).toBeLessThan(20_000);
  expect(bed.fleet.size).toBe(1);
  silent.close();
});

import { expect, onTestFinished, test } from 'vitest';
import { TestClock } from '../../platform/test-clock.ts';
import type { Review } from './authentication.ts';
import { snapshot, startTestBed, testCertificate, tlsName } from './discovery.test-kit.ts';
import { greetingMs } from './greeting.ts';
import { encodeMessage, SidecarClient } from './sidecar-client.test-kit.ts';

const hello = { hello: { boot: 1, version: '1.2.3' } };

test.each([
  ['forged or expired', { refused: 'invalid' }, /^UNAUTHENTICATED: the token is not valid/],
  ['for somebody else', { refused: 'audience' }, /^UNAUTHENTICATED: .*holdfast-controller/],
  ['no pod’s', { refused: 'not-a-pod' }, /^UNAUTHENTICATED: the token is no pod’s/],
] as const)('a token that is %s is refused, and gets no policy', async (_what, review, refusal) => {
  const bed = await startTestBed();
  bed.snapshots.set('*', snapshot('v1'));
  bed.review = () => Promise.resolve(review as Review);
  const client = bed.client('shop.a');
  client.send(hello);
  expect(await client.status()).toMatch(refusal);
  expect([client.messages, bed.fleet.size, bed.changes]).toEqual([[], 0, []]);
  expect(await bed.registry.metrics()).toContain(
    `token_refusals_total{reason="${review.refused}"} 1`,
  );
});

test.each([undefined, '', ' ', 'two words'])(
  'with %j for a token a stream is refused, and nobody is asked',
  async (token) => {
    const bed = await startTestBed();
    const { authorities } = testCertificate('first');
    const client = new SidecarClient({ port: bed.port, tlsName, authorities, token });
    onTestFinished(() => client.close());
    client.send(hello);
    expect(await client.status()).toMatch(/^UNAUTHENTICATED: the call needs the metadata/);
    expect(bed.reviewed).toEqual([]);
  },
);

test('while the API server does not answer, sidecars are to come again', async () => {
  const bed = await startTestBed();
  bed.review = () => Promise.reject(new Error('connection refused'));
  const client = bed.client('shop.a');
  client.send(hello);
  expect(await client.status()).toMatch(/^UNAVAILABLE: tokens cannot be checked just now/);
  bed.review = () => Promise.resolve({ refused: 'invalid' });
  const again = bed.client('shop.a');
  expect(await again.status()).toMatch(/^UNAUTHENTICATED/); // the failure is not kept
});

test.each([
  ['a report', encodeMessage({ report: { version: 'v1' } })],
  ['a heartbeat', encodeMessage({ heartbeat: { budget: 'main', number: 1 } })],
  ['nothing in it', Buffer.alloc(0)],
  ['something newer', Buffer.from([0xa2, 0x06, 0x01, 0x61])],
  ['no message', Buffer.from('GET / HTTP/1.1\r\n\r\n')],
  ['a Hello without boot', encodeMessage({ hello: { version: '1.2.3' } })],
])('a stream that begins with %s is refused', async (_what, bytes) => {
  const bed = await startTestBed();
  const client = bed.client('shop.a');
  client.sendBytes(bytes);
  expect(await client.status()).toMatch(/^INVALID_ARGUMENT: .*Hello/);
  expect(bed.changes).toEqual([]);
});

test('whoever says nothing for 10 s, or half-closes, is no sidecar', async () => {
  const clock = new TestClock();
  const bed = await startTestBed(clock);
  const silent = bed.client('shop.a');
  await silent.until(() => bed.reviewed.length === 1);
  await clock.advance(greetingMs - 1);
  const closing = bed.client('shop.b');
  closing.stream.end();
  expect(await closing.status()).toMatch(/^INVALID_ARGUMENT: .*Hello/);
  await clock.advance(1);
  expect(await silent.status()).toMatch(/^INVALID_ARGUMENT: .*Hello/);
  expect(clock.alarms).toBe(0);
});

test('a token that is not answered for in 10 s is tried again later', async () => {
  const clock = new TestClock();
  const bed = await startTestBed(clock);
  bed.review = () => new Promise(() => undefined);
  const client = bed.client('shop.a');
  await client.until(() => bed.reviewed.length === 1);
  await clock.advance(greetingMs);
  expect(await client.status()).toMatch(/^UNAVAILABLE: tokens cannot be checked just now/);
});

test('nothing is read of a stream before its token is known to be good', async () => {
  const bed = await startTestBed();
  let answer = (_review: Review): void => undefined;
  bed.review = () => new Promise((resolve) => (answer = resolve));
  const client = bed.client('shop.a');
  client.send(hello);
  // As many as a connection lets through before somebody reads.
  for (let at = 0; at < 50; at += 1) {
    client.send({ report: { version: `v${at}`, restartRequired: ['x'.repeat(1_000_000)] } });
  }
  await client.until(() => bed.reviewed.length === 1);
  const written = client.stream.writableLength;
  expect(written).toBeGreaterThan(40);
  answer({ refused: 'invalid' });
  expect(await client.status()).toMatch(/^UNAUTHENTICATED/);
});

test('a stream ends with the token that it came with', async () => {
  const clock = new TestClock();
  const bed = await startTestBed(clock);
  const pod = { namespace: 'shop', podName: 'a', podUid: 'uid-a' };
  bed.review = () => Promise.resolve({ pod, expiresAtMs: 3_600_000 });
  const early = await bed.join('a');
  early.close();
  await early.until(() => bed.fleet.size === 0);
  expect(clock.alarms).toBe(0);
  const client = await bed.join('a');
  await clock.advance(3_599_999);
  expect(bed.fleet.size).toBe(1);
  await clock.advance(1);
  expect(await client.status()).toMatch(/^UNAVAILABLE: the token has expired/);
  expect([bed.fleet.size, clock.alarms]).toEqual([0, 0]);
});

import { expect, test } from 'vitest';
import { closedPort, startHttpServer } from '../../http/http-server.test-kit.ts';
import {
  aCall,
  cancel,
  quickRetry,
  rejection,
  serve,
  type TestRequest,
  UpstreamBed,
} from './upstream.test-kit.ts';

const fixed = { static: { status: 203, contentType: 'text/plain', body: 'instead' } };
const kept = { stale: { maxAgeMs: 60_000 } };

/** Both ways to ask; each gives the answer as a whole. */
const ways = [
  ['Call', (bed: UpstreamBed, request: TestRequest = {}) => bed.call('api', request)],
  ['Stream', (bed: UpstreamBed, request: TestRequest = {}) => bed.stream('api', request)],
] as const;

test.each(ways)(
  '%s: the static answer stands in for a failure after all tries',
  async (_n, ask) => {
    await using it = await serve(
      (response) => {
        response.writeHead(500);
        response.end('ill');
      },
      { retry: quickRetry, fallback: fixed },
    );
    expect(await ask(it.bed)).toEqual({
      status: 203,
      headers: { 'content-type': 'text/plain' },
      body: 'instead',
      attempts: 3,
      source: 'static',
    });
    expect(it.server.requests).toHaveLength(3);
    expect(it.bed.events.at(-1)).toBe('api fell back: static');
  },
);

test.each(ways)('%s: … for a server that is away, too slow, or throttles', async (_name, ask) => {
  const answers = { slow: () => {}, throttled: 429 };
  await using it = await serve(
    (response, { url }) => {
      if (url === '/v1/slow') return;
      response.writeHead(answers.throttled);
      response.end();
    },
    { fallback: fixed, timeout: { totalMs: 200 } },
  );
  expect(await ask(it.bed, { path: '/slow' })).toMatchObject({ body: 'instead', attempts: 1 });
  expect(await ask(it.bed)).toMatchObject({ body: 'instead', attempts: 1 });
  const baseUrl = `http://127.0.0.1:${await closedPort()}`;
  it.bed.configure([{ name: 'api', upstream: { baseUrl }, fallback: fixed }]);
  expect(await ask(it.bed, { method: 'POST' })).toMatchObject({ body: 'instead', attempts: 1 });
});

test.each(ways)('%s: … for a refusal of the policy, without a try', async (_name, ask) => {
  await using it = await serve((response) => void response.end('own'), {
    fallback: fixed,
    rate: { perSecond: 0.01 },
  });
  expect(await ask(it.bed)).toMatchObject({ body: 'own', source: 'target' });
  expect(await ask(it.bed)).toMatchObject({ body: 'instead', source: 'static', attempts: 0 });
  expect(it.server.requests).toHaveLength(1);
});

test.each(ways)('%s: no fallback for what is the fault of the request', async (_name, ask) => {
  await using it = await serve(
    (response) => {
      response.writeHead(404);
      response.end();
    },
    { fallback: fixed },
  );
  expect(await ask(it.bed)).toMatchObject({ status: 404, source: 'target' });
  expect(await rejection(ask(it.bed, { path: '/..' }))).toMatchObject({
    reason: 'INVALID_REQUEST',
  });
});

test('no fallback for a call that was given up, or whose answer is too large', async () => {
  await using it = await serve(
    (response, { url }) => {
      if (url === '/v1/large') response.end(Buffer.alloc(5_000));
    },
    { fallback: fixed },
    { maxResponseBytes: 4_000 },
  );
  expect(await rejection(it.bed.call('api', { path: '/large' }))).toMatchObject({
    reason: 'RESULT_TOO_LARGE',
  });
  const call = aCall();
  const failed = rejection(it.bed.call('api', {}, call));
  await expect.poll(() => it.server.requests.length).toBe(2);
  cancel(call);
  expect(await failed).toMatchObject({ reason: 'CANCELLED' });
});

test('no fallback once the head was passed on', async () => {
  await using it = await serve(
    (response) => {
      response.writeHead(200);
      response.write('x');
    },
    { fallback: fixed },
    { idleTimeoutMs: 80 },
  );
  expect(await rejection(it.bed.stream('api'))).toMatchObject({ reason: 'ANSWER_LOST' });
});

test.each(ways)('%s: the last good answer to the same request stands in', async (_name, ask) => {
  let status = 200;
  await using it = await serve(
    (response, { url }) => {
      response.writeHead(status, { 'x-url': url });
      response.end(`good ${url}`);
    },
    { fallback: kept },
  );
  const asked = { path: '/a?x=1', headers: { accept: 'text/plain' } };
  expect(await it.bed.call('api', asked)).toMatchObject({ source: 'target' });
  status = 500;
  expect(await ask(it.bed, asked)).toMatchObject({
    status: 200,
    headers: { 'x-url': '/v1/a?x=1' },
    body: 'good /v1/a?x=1',
    source: 'stale',
    attempts: 1,
  });
  // Others are other requests.
  for (const other of [
    { ...asked, path: '/a?x=2' },
    { ...asked, headers: { accept: 'text/html' } },
    { ...asked, headers: {} },
    { ...asked, method: 'POST' },
    { ...asked, method: 'HEAD' },
  ]) {
    expect(await ask(it.bed, other)).toMatchObject({ status: 500, source: 'target' });
  }
});

test('a large stored answer is streamed in pieces', async () => {
  let status = 200;
  const text = 'abcdefg'.repeat(100_000);
  await using it = await serve(
    (response) => {
      response.writeHead(status);
      response.end(text);
    },
    { fallback: kept },
  );
  await it.bed.call('api');
  status = 503;
  const sizes: number[] = [];
  const answer = await it.bed.stream(
    'api',
    {},
    { onChunk: ({ length }) => void sizes.push(length) },
  );
  expect([answer.source, answer.body === text]).toEqual(['stale', true]);
  expect(Math.max(...sizes)).toBe(64 * 1024);
});

test('another server is asked for what may be asked twice; its own failure is no answer', async () => {
  await using ill = await startHttpServer((response) => {
    response.writeHead(500);
    response.end('ill');
  });
  await using well = await startHttpServer((response) => void response.end('well'));
  const baseUrl = `http://127.0.0.1:${await closedPort()}`;
  const headers = [{ name: 'x-key', value: 'other' }];
  const target = (otherUrl: string, ownUrl = ill.url) => [
    { name: 'api', upstream: { baseUrl: ownUrl }, fallback: { upstream: { name: 'other' } } },
    { name: 'other', upstream: { baseUrl: otherUrl, headers }, fallback: fixed },
  ];
  await using bed = new UpstreamBed(target(well.url));
  for (const [, ask] of ways) {
    // What the other's policy sets, it sets.
    expect(await ask(bed, { path: '/a', headers: { 'x-key': 'mine' } })).toMatchObject({
      body: 'well',
      source: 'other_upstream',
      attempts: 2,
    });
    expect(well.requests.at(-1)).toMatchObject({ url: '/a', headers: { 'x-key': 'other' } });
    // It may have taken effect.
    expect(await ask(bed, { method: 'POST' })).toMatchObject({ status: 500, source: 'target' });
  }
  bed.configure(target(baseUrl));
  for (const [, ask] of ways) {
    expect(await ask(bed)).toMatchObject({ status: 500, body: 'ill', source: 'target' });
  }
  bed.configure(target(well.url, baseUrl));
  for (const [, ask] of ways) {
    expect(await ask(bed, { method: 'POST' })).toMatchObject({ body: 'well', attempts: 2 });
  }
  bed.configure(target(ill.url, baseUrl));
  for (const [, ask] of ways) {
    expect(await ask(bed)).toMatchObject({ status: 500, source: 'other_upstream' });
  }
});

test('a fallback that goes on leaves no answer of the target behind', async () => {
  await using target = await startHttpServer((response) => {
    response.writeHead(503);
    response.write('x'.repeat(200_000));
  });
  let whileItRan = -1;
  await using other = await startHttpServer(async (response) => {
    response.writeHead(200);
    response.write('first');
    await expect.poll(() => (whileItRan = target.brokenOff()), { timeout: 5_000 }).toBe(1);
    response.socket?.destroy();
  });
  await using bed = new UpstreamBed([
    { name: 'api', upstream: { baseUrl: target.url }, fallback: { upstream: { name: 'other' } } },
    { name: 'other', upstream: { baseUrl: other.url } },
  ]);
  expect(await rejection(bed.stream('api'))).toMatchObject({ reason: 'ANSWER_LOST' });
  expect(whileItRan).toBe(1);
});

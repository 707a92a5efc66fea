import { expect, test } from 'vitest';
import { closedPort, startHttpServer } from '../../http/http-server.test-kit.ts';
import {
  aCall,
  cancel,
  later,
  quickRetry,
  rejection,
  serve,
  UpstreamBed,
} from './upstream.test-kit.ts';

test.each([500, 501, 502, 503, 504])(
  'HTTP %i is tried again, and the last answer returned',
  async (status) => {
    await using it = await serve(
      (response, _request, nth) => {
        response.writeHead(status);
        response.end(`nth ${nth}`);
      },
      { retry: quickRetry },
    );
    expect(await it.bed.call('api')).toMatchObject({ status, body: 'nth 3', attempts: 3 });
    expect(it.server.requests).toHaveLength(3);
    // The answers were read to their ends: one connection was enough.
    expect(it.server.connections()).toBe(1);
  },
);

test('a server that recovers is not asked once more', async () => {
  await using it = await serve(
    (response, _request, nth) => {
      response.writeHead(nth < 2 ? 503 : 200);
      response.end();
    },
    { retry: quickRetry },
  );
  expect(await it.bed.call('api')).toMatchObject({ status: 200, attempts: 2 });
  expect(it.server.requests).toHaveLength(2);
});

test('HTTP 500 opens the breaker, 429 does not', async () => {
  let status = 429;
  await using it = await serve(
    (response) => {
      response.writeHead(status);
      response.end();
    },
    { breaker: { minCalls: 2, failureRate: 0.5, openMs: 60_000 } },
  );
  for (let nth = 0; nth < 4; nth += 1) expect(await it.bed.call('api')).toMatchObject({ status });
  // Throttled calls are none of the window's.
  status = 500;
  for (let nth = 0; nth < 2; nth += 1) expect(await it.bed.call('api')).toMatchObject({ status });
  expect(await rejection(it.bed.call('api'))).toMatchObject({ reason: 'BREAKER_OPEN' });
  expect(it.server.requests).toHaveLength(6);
});

test.each([
  ['429', 429, () => '1'],
  ['503', 503, () => '1'],
  // Dates have whole seconds.
  ['429 with a date', 429, () => new Date(Date.now() + 2_000).toUTCString()],
])(
  'the Retry-After of %s is waited for, although pauses are shorter',
  async (_what, status, after) => {
    await using it = await serve(
      (response, _request, nth) => {
        if (nth === 1) response.writeHead(status, { 'retry-after': after() });
        else response.writeHead(200);
        response.end();
      },
      { retry: quickRetry },
    );
    expect(await it.bed.call('api')).toMatchObject({ status: 200, attempts: 2 });
    const [first, second] = it.server.requests;
    expect((second?.atMs ?? 0) - (first?.atMs ?? 0)).toBeGreaterThanOrEqual(995);
  },
);

test('a Retry-After of more than a minute, or beyond the deadline, ends the call with its answer', async () => {
  let after = '61';
  await using it = await serve(
    (response) => {
      response.writeHead(429, { 'retry-after': after });
      response.end('later');
    },
    { retry: quickRetry },
  );
  expect(await it.bed.call('api')).toMatchObject({ status: 429, body: 'later', attempts: 1 });
  after = '30';
  expect(await it.bed.call('api', {}, aCall(5_000))).toMatchObject({ status: 429, attempts: 1 });
  expect(it.server.requests).toHaveLength(2);
});

test('a POST is sent once, unless its caller says that twice does no harm', async () => {
  await using it = await serve(
    (response) => {
      response.writeHead(503);
      response.end();
    },
    { retry: quickRetry },
  );
  expect(await it.bed.call('api', { method: 'POST' })).toMatchObject({ status: 503, attempts: 1 });
  expect(await it.bed.call('api', { method: 'PATCH' })).toMatchObject({ attempts: 1 });
  expect(await it.bed.call('api', { method: 'POST', idempotent: true })).toMatchObject({
    attempts: 3,
  });
  expect(await it.bed.call('api', { method: 'DELETE' })).toMatchObject({ attempts: 3 });
  expect(it.server.requests).toHaveLength(8);
});

test('a server that nobody runs was sent nothing: even a POST is tried again', async () => {
  const port = await closedPort();
  await using bed = new UpstreamBed([
    {
      name: 'api',
      upstream: { baseUrl: `http://127.0.0.1:${port}` },
      retry: { ...quickRetry, backoff: { baseMs: 400, maxMs: 400 } },
    },
  ]);
  const call = bed.call('api', { method: 'POST', body: 'x' });
  await later(50);
  await using server = await startHttpServer((response) => response.end('here') as void, { port });
  expect(await call).toMatchObject({ status: 200, body: 'here', attempts: 2 });
  expect(server.requests).toHaveLength(1);
});

test.each([
  ['refuses connections', async () => `http://127.0.0.1:${await closedPort()}`, 'ECONNREFUSED'],
  ['has no address', async () => 'http://nowhere.invalid', /ENOTFOUND|EAI_AGAIN/],
])('a server that %s: UPSTREAM_UNAVAILABLE, and it did not run', async (_what, baseUrl, fault) => {
  await using bed = new UpstreamBed([{ name: 'api', upstream: { baseUrl: await baseUrl() } }]);
  const error = await rejection(bed.call('api', { headers: { 'x-key': 'k3y' } }));
  expect(error).toMatchObject({
    kind: 'unavailable',
    reason: 'UPSTREAM_UNAVAILABLE',
    target: 'api',
    metadata: { ran: 'false', fault: expect.stringMatching(fault) as string },
  });
});

test('a connection that is reset before the answer: UPSTREAM_UNAVAILABLE, tried again when it may', async () => {
  await using it = await serve((response) => response.socket?.resetAndDestroy() as never, {
    retry: quickRetry,
  });
  const posted = await rejection(it.bed.call('api', { method: 'POST', body: 'x' }));
  expect(posted).toMatchObject({ reason: 'UPSTREAM_UNAVAILABLE', kind: 'unavailable' });
  expect(posted.metadata).not.toHaveProperty('ran');
  expect(it.server.requests).toHaveLength(1);
  expect(await rejection(it.bed.call('api'))).toMatchObject({ reason: 'UPSTREAM_UNAVAILABLE' });
  expect(it.server.requests).toHaveLength(4);
});

test('a connection that is reset in the middle of the answer: ANSWER_LOST, tried again when it may', async () => {
  await using it = await serve(
    async (response, { method }, nth) => {
      response.writeHead(200, { 'content-length': '10' });
      if (method === 'GET' && nth > 2) return void response.end('0123456789');
      response.write('01234');
      await later(20);
      response.socket?.resetAndDestroy();
    },
    { retry: quickRetry },
  );
  expect(await rejection(it.bed.call('api', { method: 'POST' }))).toMatchObject({
    kind: 'unavailable',
    reason: 'ANSWER_LOST',
    target: 'api',
  });
  expect(it.server.requests).toHaveLength(1);
  expect(await it.bed.call('api')).toMatchObject({ body: '0123456789', attempts: 2 });
});

test('a server that hangs is given perTryMs for each try, and seen to be let go', async () => {
  await using it = await serve(() => {}, {
    timeout: { perTryMs: 100, totalMs: 10_000 },
    retry: quickRetry,
  });
  const begunAtMs = performance.now();
  expect(await rejection(it.bed.call('api'))).toMatchObject({
    kind: 'deadline',
    reason: 'TARGET_TIMEOUT',
  });
  expect(performance.now() - begunAtMs).toBeLessThan(3_000);
  expect(it.server.requests).toHaveLength(3);
  await expect.poll(() => it.server.brokenOff()).toBe(3);
});

test('a server that hangs is given totalMs in all', async () => {
  await using it = await serve(() => {}, {
    timeout: { perTryMs: 150, totalMs: 200 },
    retry: { ...quickRetry, maxAttempts: 10 },
  });
  expect(await rejection(it.bed.call('api'))).toMatchObject({ reason: 'TARGET_TIMEOUT' });
  expect(it.server.requests).toHaveLength(2);
  await expect.poll(() => it.server.brokenOff()).toBe(2);
});

test('an answer that stops coming: ANSWER_LOST after idleTimeoutMs', async () => {
  await using it = await serve(
    (response) => {
      response.writeHead(200);
      response.write('some');
    },
    {},
    { idleTimeoutMs: 100 },
  );
  const error = await rejection(it.bed.call('api'));
  expect(error).toMatchObject({ reason: 'ANSWER_LOST', metadata: { fault: 'idle' } });
  await expect.poll(() => it.server.brokenOff()).toBe(1);
});

test('an answer that comes slowly is no fault', async () => {
  await using it = await serve(
    async (response) => {
      response.writeHead(200);
      for (let nth = 0; nth < 6; nth += 1) {
        response.write(`${nth}`);
        await later(60);
      }
      response.end();
    },
    {},
    { idleTimeoutMs: 200 },
  );
  expect(await it.bed.call('api')).toMatchObject({ body: '012345' });
});

test('a call that its caller gives up is given up at the server', async () => {
  await using it = await serve(() => {});
  const call = aCall();
  const failed = rejection(it.bed.call('api', {}, call));
  await expect.poll(() => it.server.requests.length).toBe(1);
  cancel(call);
  expect(await failed).toMatchObject({ reason: 'CANCELLED' });
  await expect.poll(() => it.server.brokenOff()).toBe(1);
});

test('who is refused a second try gets the answer of the first', async () => {
  await using it = await serve(
    (response) => {
      response.writeHead(500);
      response.end('ill');
    },
    { retry: quickRetry, breaker: { minCalls: 1, failureRate: 0.01, openMs: 60_000 } },
  );
  expect(await it.bed.call('api')).toMatchObject({ status: 500, body: 'ill', attempts: 1 });
  expect(await rejection(it.bed.call('api'))).toMatchObject({ reason: 'BREAKER_OPEN' });
});

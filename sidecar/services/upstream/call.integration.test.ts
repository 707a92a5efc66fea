import { expect, test } from 'vitest';
import { closedPort } from '../../http/http-server.test-kit.ts';
import { later, quickRetry, rejection, serve } from './upstream.test-kit.ts';

test('a request arrives as it was made, and its answer comes back whole', async () => {
  await using it = await serve((response) => {
    response.writeHead(201, { 'content-type': 'text/plain', 'set-cookie': ['a=1', 'b=2'] });
    response.end('made');
  });
  const answer = await it.bed.call('api', {
    method: 'POST',
    path: '/items?x=1&y=%20',
    headers: { 'X-Trace': 'abc', accept: 'text/plain' },
    body: '{"n":1}',
  });
  expect(answer).toMatchObject({ status: 201, body: 'made', attempts: 1, source: 'target' });
  expect(answer.headers['set-cookie']).toBe('b=2');
  expect(answer.headers).not.toHaveProperty('connection');
  expect(answer.headers).not.toHaveProperty('transfer-encoding');
  const [request] = it.server.requests;
  expect(request).toMatchObject({ method: 'POST', url: '/v1/items?x=1&y=%20', body: '{"n":1}' });
  expect(request?.headers).toMatchObject({
    host: new URL(it.server.url).host,
    'x-trace': 'abc',
    accept: 'text/plain',
    'content-length': '7',
  });
});

test.each([
  ['', '/v1'],
  ['?a=1', '/v1?a=1'],
  ['/', '/v1/'],
])('the path %j is added to the base URL', async (path, url) => {
  await using it = await serve((response) => response.end() as void);
  await it.bed.call('api', { path });
  expect(it.server.requests[0]).toMatchObject({ method: 'GET', url });
});

test('a redirect is an answer', async () => {
  await using it = await serve((response) => {
    response.writeHead(302, { location: '/elsewhere' });
    response.end();
  });
  expect(await it.bed.call('api')).toMatchObject({
    status: 302,
    headers: { location: '/elsewhere' },
  });
  expect(it.server.requests).toHaveLength(1);
});

test('a proxy of the environment is not asked', async () => {
  const proxy = `http://127.0.0.1:${await closedPort()}`;
  const names = ['HTTP_PROXY', 'http_proxy', 'HTTPS_PROXY', 'ALL_PROXY'];
  for (const name of names) process.env[name] = proxy;
  try {
    await using it = await serve((response) => response.end('direct') as void);
    expect(await it.bed.call('api')).toMatchObject({ body: 'direct' });
  } finally {
    for (const name of names) delete process.env[name];
  }
});

test('HEAD, interim answers and an empty answer', async () => {
  await using it = await serve((response, { method }) => {
    if (method === 'HEAD') response.writeHead(200, { 'content-length': '1000' });
    else {
      (response as unknown as { writeEarlyHints(hints: object): void }).writeEarlyHints({
        link: '</a.css>; rel=preload',
      });
      response.writeHead(204);
    }
    response.end();
  });
  expect(await it.bed.call('api', { method: 'HEAD' })).toMatchObject({
    status: 200,
    headers: { 'content-length': '1000' },
    body: '',
  });
  expect(await it.bed.call('api')).toMatchObject({ status: 204, body: '' });
});

test('401 is passed through once, and opens no breaker', async () => {
  await using it = await serve(
    (response) => {
      response.writeHead(401, { 'www-authenticate': 'Bearer' });
      response.end('who are you');
    },
    { retry: quickRetry, breaker: { minCalls: 1, failureRate: 0.01 } },
  );
  for (let nth = 0; nth < 3; nth += 1) {
    expect(await it.bed.call('api')).toMatchObject({
      status: 401,
      body: 'who are you',
      attempts: 1,
    });
  }
  expect(it.server.requests).toHaveLength(3);
});

test('an answer larger than maxResponseBytes: RESULT_TOO_LARGE, once, and no fault of the server', async () => {
  await using it = await serve(
    (response) => response.end(Buffer.alloc(2_000)) as void,
    { retry: quickRetry, breaker: { minCalls: 1, failureRate: 0.01 } },
    { maxResponseBytes: 1_999 },
  );
  for (let nth = 1; nth <= 2; nth += 1) {
    expect(await rejection(it.bed.call('api'))).toMatchObject({
      kind: 'exhausted',
      reason: 'RESULT_TOO_LARGE',
      metadata: { ran: 'true' },
    });
    expect(it.server.requests).toHaveLength(nth);
  }
});

test('no more connections than the policy has, and all calls done', async () => {
  await using it = await serve(
    async (response) => {
      await later(10);
      response.end('ok');
    },
    {},
    { maxConnections: 3 },
  );
  const answers = await Promise.all(Array.from({ length: 30 }, () => it.bed.call('api')));
  expect(answers.every(({ body }) => body === 'ok')).toBe(true);
  expect(it.server.connections()).toBe(3);
});

test('a name that no policy has', async () => {
  await using it = await serve(() => {});
  expect(await rejection(it.bed.call('other'))).toMatchObject({
    kind: 'not-found',
    reason: 'UNKNOWN_TARGET',
  });
});

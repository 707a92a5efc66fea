import { expect, test } from 'vitest';
import { startHttpServer } from '../../http/http-server.test-kit.ts';
import { quickRetry, rejection, UpstreamBed } from './upstream.test-kit.ts';

const target = (baseUrl: string, more: object = {}) => ({
  name: 'api',
  upstream: {
    baseUrl,
    headers: [
      { name: 'authorization', value: 'Bearer ', secretRef: { name: 'api', key: 'token' } },
    ],
  },
  retry: { ...quickRetry, backoff: { baseMs: 300, maxMs: 300 } },
  ...more,
});

/** A bed whose first token is `old`. */
function openBed(baseUrl: string): UpstreamBed {
  const bed = new UpstreamBed([]);
  bed.secret('api/token', 'old\n');
  bed.configure([target(baseUrl)]);
  return bed;
}

test('a secret is sent behind what the policy has before it, without the line break of its file', async () => {
  await using server = await startHttpServer((response) => response.end() as void);
  await using bed = openBed(server.url);
  await bed.call('api');
  expect(server.requests[0]?.headers.authorization).toBe('Bearer old');
});

test('a secret that was replaced is used from the next try on, over the same connection', async () => {
  await using server = await startHttpServer((response, { headers }) => {
    response.writeHead(headers.authorization === 'Bearer new' ? 200 : 503);
    response.end();
  });
  await using bed = openBed(server.url);
  const answer = bed.call('api');
  await expect.poll(() => server.requests.length).toBe(1);
  bed.secret('api/token', 'new\n');
  bed.configure([target(server.url)]);
  expect(await answer).toMatchObject({ status: 200, attempts: 2 });
  expect(server.requests.map(({ headers }) => headers.authorization)).toEqual([
    'Bearer old',
    'Bearer new',
  ]);
  expect(server.connections()).toBe(1);
});

test('no error has a secret in it, nor what the server said', async () => {
  await using server = await startHttpServer((response) => {
    response.socket?.write('HTTP/1.1 Bearer old is no status line\r\n\r\n');
  });
  await using bed = openBed(server.url);
  const error = await rejection(bed.call('api', { method: 'POST' }));
  expect(error.reason).toBe('UPSTREAM_UNAVAILABLE');
  const { message, metadata } = error;
  expect(JSON.stringify({ message, metadata })).not.toContain('old');
});

test.each([
  ['is empty', ''],
  ['is empty', '\n'],
  ['is no line of ASCII', 'a\nx-admin: 1'],
  ['is no line of ASCII', 'kéy'],
])('a secret that %s is no header: settings with it are refused', async (fault, text) => {
  await using bed = openBed('http://127.0.0.1:1');
  bed.secret('api/token', text);
  expect(() => bed.configure([target('http://127.0.0.1:1')])).toThrow(
    new RegExp(`^secret of upstream "api": \\S*/api/token ${fault}$`),
  );
});

test('other connections are made when the policy asks for others, and the old ones end with their calls', async () => {
  let finish = (): void => {};
  await using server = await startHttpServer(async (response, { url }) => {
    if (url === '/slow') await new Promise<void>((resolve) => (finish = resolve));
    response.end('done');
  });
  await using bed = openBed(server.url);
  const slow = bed.call('api', { path: '/slow' });
  await expect.poll(() => server.requests.length).toBe(1);
  const { upstream } = target(server.url);
  bed.configure([target(server.url, { upstream: { ...upstream, maxConnections: 7 } })]);
  await bed.call('api');
  expect(server.connections()).toBe(2);
  bed.configure([]);
  finish();
  expect(await slow).toMatchObject({ status: 200, body: 'done' });
  expect(await rejection(bed.call('api'))).toMatchObject({ reason: 'UNKNOWN_TARGET' });
});

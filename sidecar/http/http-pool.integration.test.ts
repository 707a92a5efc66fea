import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { expect, test } from 'vitest';
import { Call, cancelled } from '../../platform/call.ts';
import { systemClock } from '../../platform/clock.ts';
import { Deadlines } from '../../platform/deadlines.ts';
import { HoldfastError } from '../../platform/errors.ts';
import { certificate } from '../redis/tls-certificate.test-kit.ts';
import type { HttpOptions } from './http-options.ts';
import { HttpPool } from './http-pool.ts';
import { type Answering, startHttpServer, type TestHttpServer } from './http-server.test-kit.ts';

const parts = { clock: systemClock, deadlines: new Deadlines(systemClock) };
const request = { method: 'GET', path: '/', headers: [], body: Buffer.alloc(0) };
const verified = { rejectUnauthorized: true, ca: certificate };

const options = (baseUrl: string, more: Partial<HttpOptions> = {}): HttpOptions => ({
  name: 'api',
  baseUrl,
  headers: [],
  http2: true,
  maxConnections: 8,
  connectTimeoutMs: 2_000,
  idleTimeoutMs: 5_000,
  maxResponseBytes: 1_000_000,
  ...more,
});

/** Runs against a server and a pool of connections to it. */
async function withPool(
  tls: 'http/1.1' | 'h2',
  more: Partial<HttpOptions>,
  use: (pool: HttpPool, server: TestHttpServer) => Promise<void>,
  answer: Answering = (response) => void response.end('ok'),
): Promise<void> {
  await using server = await startHttpServer(answer, { tls });
  const pool = new HttpPool(options(server.url, more), parts);
  try {
    await use(pool, server);
  } finally {
    await pool.destroy();
  }
}

async function failure(pool: HttpPool): Promise<HoldfastError> {
  const thrown: unknown = await pool
    .send(request)
    .head()
    .catch((error: unknown) => error);
  return HoldfastError.from(thrown);
}

test('HTTP/2 is used when the server offers it, and many requests share a connection', async () => {
  await withPool('h2', { tls: verified }, async (pool, server) => {
    await Promise.all(Array.from({ length: 20 }, () => pool.send(request).head()));
    expect(new Set(server.requests.map(({ version }) => version))).toEqual(new Set(['2.0']));
    expect(server.connections()).toBe(1);
  });
});

test.each([
  ['the server offers no HTTP/2', 'http/1.1', {}],
  ['the policy wants none', 'h2', { http2: false }],
] as const)('HTTP/1.1 is used when %s', async (_when, offered, more) => {
  await withPool(offered, { tls: verified, ...more }, async (pool, server) => {
    expect(await pool.send(request).head()).toMatchObject({ status: 200 });
    expect(server.requests[0]?.version).toBe('1.1');
  });
});

test('a certificate of an unknown authority is refused, and nothing is sent', async () => {
  await withPool('h2', {}, async (pool, server) => {
    expect(await failure(pool)).toMatchObject({
      reason: 'UPSTREAM_UNAVAILABLE',
      metadata: { ran: 'false', fault: 'DEPTH_ZERO_SELF_SIGNED_CERT' },
    });
    expect(server.requests).toHaveLength(0);
  });
});

test('a certificate of another name is refused, and nothing is sent', async () => {
  await using server = await startHttpServer((response) => void response.end(), { tls: 'h2' });
  const byAddress = server.url.replace('localhost', '127.0.0.1');
  const pool = new HttpPool(options(byAddress, { tls: verified }), parts);
  expect(await failure(pool)).toMatchObject({
    metadata: { ran: 'false', fault: 'ERR_TLS_CERT_ALTNAME_INVALID' },
  });
  expect(server.requests).toHaveLength(0);
  await pool.destroy();
});

test('Require believes every certificate', async () => {
  await withPool('h2', { tls: { rejectUnauthorized: false } }, async (pool) => {
    expect(await pool.send(request).head()).toMatchObject({ status: 200 });
  });
});

test('a server that does not speak TLS is unreachable', async () => {
  await using server = await startHttpServer((response) => void response.end());
  const pool = new HttpPool(options(server.url.replace('http:', 'https:')), parts);
  expect(await failure(pool)).toMatchObject({
    reason: 'UPSTREAM_UNAVAILABLE',
    metadata: { ran: 'false' },
  });
  await pool.destroy();
});

test('a server that never ends its TLS handshake fails after connectTimeoutMs', async () => {
  const silent = createServer((socket) => void socket.on('error', () => {})).listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const { port } = silent.address() as AddressInfo;
  const baseUrl = `https://127.0.0.1:${port}`;
  const pool = new HttpPool(options(baseUrl, { connectTimeoutMs: 200 }), parts);
  const begunAtMs = performance.now();
  expect(await failure(pool)).toMatchObject({
    reason: 'UPSTREAM_UNAVAILABLE',
    metadata: { ran: 'false', fault: 'connectTimeoutMs' },
  });
  expect(performance.now() - begunAtMs).toBeLessThan(2_000);
  await pool.destroy();
  silent.close();
});

test('a request that waits for a connection is not sent when its caller gives up', async () => {
  await withPool(
    'http/1.1',
    { tls: verified, maxConnections: 1 },
    async (pool, server) => {
      const first = pool.send(request);
      await expect.poll(() => server.requests.length).toBe(1);
      const second = pool.send({ ...request, path: '/second' });
      const call = new Call({
        scope: { onClose: () => () => {}, push: () => {} },
        deadlineAtMs: Infinity,
      });
      call.onEnd((reason) => second.abort(reason));
      const failed = second.head();
      call.end(cancelled());
      await expect(failed).rejects.toMatchObject({ reason: 'CANCELLED' });
      expect(second.wasSent).toBe(false);
      first.abort(cancelled());
      const third = pool.send({ ...request, path: '/third' });
      await expect.poll(() => server.requests.length).toBe(2);
      expect(server.requests[1]?.url).toBe('/third');
      third.abort(cancelled());
    },
    () => {},
  );
});

test('headers of one connection alone are not passed on', async () => {
  await withPool(
    'http/1.1',
    { tls: verified },
    async (pool) => {
      const { headers } = await pool.send(request).head();
      expect(headers.filter(({ name }) => name !== 'date')).toEqual([
        { name: 'x-kept', value: '1' },
        { name: 'set-cookie', value: 'a' },
        { name: 'set-cookie', value: 'b' },
      ]);
    },
    (response) => {
      response.writeHead(200, {
        connection: 'keep-alive, x-hop',
        'x-hop': '1',
        'x-kept': '1',
        'set-cookie': ['a', 'b'],
      });
      response.end('ok');
    },
  );
});

test('behind streams that hold every connection only so much waits, given up or not', async () => {
  const answer: Answering = (response, { url }) => {
    response.writeHead(200);
    if (url === '/stream') response.write('x');
    else response.end();
  };
  const use = async (pool: HttpPool): Promise<void> => {
    const stream = pool.send({ ...request, path: '/stream' });
    await stream.head();
    const body = Buffer.alloc(16 * 1024 * 1024);
    const given = Array.from({ length: 4 }, () => {
      const exchange = pool.send({ ...request, method: 'POST', body });
      const head = exchange.head().catch(() => {});
      exchange.abort(cancelled());
      return head;
    });
    await Promise.all(given);
    expect(() => pool.send({ ...request, method: 'POST', body })).toThrow(
      expect.objectContaining({ reason: 'POOL_EXHAUSTED', metadata: { queue_length: '4' } }),
    );
    stream.abort(cancelled());
    await expect.poll(() => trySend(pool, body)).toBe(200);
  };
  await withPool('http/1.1', { tls: verified, maxConnections: 1 }, use, answer);
});

const trySend = async (pool: HttpPool, body: Buffer): Promise<number> => {
  try {
    return (await pool.send({ ...request, method: 'POST', body }).head()).status;
  } catch {
    return 0;
  }
};

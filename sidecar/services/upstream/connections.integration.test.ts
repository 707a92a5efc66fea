import { expect, test } from 'vitest';
import { startHttpServer } from '../../http/http-server.test-kit.ts';
import { later, serve, UpstreamBed } from './upstream.test-kit.ts';

const protocols = [
  ['HTTP/1.1', undefined, {}],
  ['HTTP/2', 'h2', { tls: { mode: 'Require' } }],
] as const;

test.each(protocols)(
  'over %s a server that was restarted is called as if nothing had been',
  async (_name, tls, upstream) => {
    const first = await startHttpServer((response) => void response.end('first'), { tls });
    await using bed = new UpstreamBed([
      { name: 'api', upstream: { baseUrl: first.url, ...upstream } },
    ]);
    expect(await bed.call('api', { method: 'POST' })).toMatchObject({ body: 'first' });
    const port = Number(new URL(first.url).port);
    await first[Symbol.asyncDispose]();
    await using second = await startHttpServer((response) => void response.end('second'), {
      tls,
      port,
    });
    // Its connection is seen to be gone.
    await later(50);
    expect(await bed.call('api', { method: 'POST' })).toMatchObject({
      body: 'second',
      attempts: 1,
    });
    expect(second.requests).toHaveLength(1);
  },
);

test('a server that closes after every answer fails no call', async () => {
  await using it = await serve((response) => {
    response.writeHead(200, { connection: 'close' });
    response.end('ok');
  });
  for (let nth = 0; nth < 10; nth += 1) {
    expect(await it.bed.call('api', { method: 'POST', body: 'x' })).toMatchObject({ attempts: 1 });
  }
  expect(it.server.connections()).toBe(10);
});

test.each(protocols)('over %s a large body arrives whole', async (_name, tls, upstream) => {
  await using it = await serve(
    (response, { body }) => void response.end(`${body.length}`),
    {},
    upstream,
    { tls },
  );
  const body = 'x'.repeat(20_000_000);
  expect(await it.bed.call('api', { method: 'PUT', body })).toMatchObject({ body: '20000000' });
});

test('calls that fail at once leave no connection behind', async () => {
  await using it = await serve((response) => void response.socket?.resetAndDestroy());
  await Promise.allSettled(Array.from({ length: 200 }, () => it.bed.call('api')));
  expect(it.server.requests).toHaveLength(200);
});

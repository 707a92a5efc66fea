import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type TestDatabase, testDatabase } from '../../scripts/servers/test-database.ts';
import { startHttpServer, type TestHttpServer } from '../../sidecar/http/http-server.test-kit.ts';
import { startSidecar, type TestSidecar } from '../../sidecar/sidecar.test-kit.ts';
import { connect, type Holdfast, type Upstream } from './index.ts';

let database: TestDatabase;
let server: TestHttpServer;
/** As the policy has it. */
let api: object;
let sidecar: TestSidecar;
/** Bytes of `/endless` so far. */
let written = 0;

const later = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

beforeAll(async () => {
  server = await startHttpServer(async (response, request) => {
    const { pathname } = new URL(request.url, 'http://any');
    if (pathname === '/hang') return;
    if (pathname === '/gone') return void response.socket?.resetAndDestroy();
    if (pathname === '/empty') {
      response.writeHead(204);
      return void response.end();
    }
    if (pathname === '/events') {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      for (let nth = 0; nth < 1_000; nth += 1) {
        response.write(`data: ${nth}\n\n`);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      return void response.end();
    }
    if (pathname === '/endless') {
      response.writeHead(200);
      const piece = Buffer.alloc(64 * 1024);
      for (written = 0; written < 100_000_000; written += piece.length) {
        if (!response.write(piece)) {
          await new Promise<void>((resolve) => response.once('drain', resolve));
        }
      }
      return void response.end();
    }
    if (pathname === '/large') return void response.end(Buffer.alloc(5_000_000, 'x'));
    response.writeHead(pathname === '/500' ? 500 : 200, {
      'content-type': 'application/json',
      'set-cookie': ['a=1', 'b=2'],
    });
    const { method, url, headers, body } = request;
    response.end(JSON.stringify({ method, url, headers, body }));
  });
  api = {
    kind: 'Upstream',
    name: 'api',
    upstream: { baseUrl: server.url, headers: [{ name: 'x-key', value: 'of the policy' }] },
    retry: { backoff: { baseMs: 1, maxMs: 1 } },
    cost: { limit: 1_000 },
  };
  database = await testDatabase();
  sidecar = await startSidecar({
    databaseUrl: database.url,
    targets: [api],
  });
});

afterAll(async () => {
  await sidecar.stop();
  await database.drop();
  await server[Symbol.asyncDispose]();
});

describe.each(['session', 'unary'] as const)('over %s', (transport) => {
  let holdfast: Holdfast;
  let api: Upstream;

  beforeAll(() => {
    holdfast = connect({ address: sidecar.address, transport });
    api = holdfast.upstream('api');
  });
  afterAll(() => holdfast.close());

  test('a whole answer', async () => {
    const answer = await api.call({
      method: 'POST',
      path: '/items?x=1',
      headers: { 'X-Trace': 'abc' },
      body: '{"n":"ä"}',
      cost: 0.5,
      costKey: 'team',
    });
    expect(answer).toMatchObject({ status: 200, ok: true, attempts: 1, source: 'target' });
    expect(answer.headers.get('content-type')).toBe('application/json');
    expect(answer.headers.getSetCookie()).toEqual(['a=1', 'b=2']);
    expect(answer.json()).toMatchObject({
      method: 'POST',
      url: '/items?x=1',
      headers: { 'x-trace': 'abc', 'x-key': 'of the policy' },
      body: '{"n":"ä"}',
    });
    expect(answer.text()).toBe(answer.body.toString());
  });

  test('headers as a list and as Headers, a body of bytes', async () => {
    const forms = [[['x-a', '1']] as const, new Headers({ 'x-a': '1' })];
    for (const headers of forms) {
      const answer = await api.call({ method: 'PUT', headers, body: Buffer.from([0x61]) });
      expect(answer.json()).toMatchObject({ headers: { 'x-a': '1' }, body: 'a' });
    }
  });

  test('an HTTP 500 is an answer', async () => {
    expect(await api.call({ path: '/500' })).toMatchObject({
      status: 500,
      ok: false,
      attempts: 3,
    });
  });

  test('an answer larger than what goes through a session at once', async () => {
    expect((await api.call({ path: '/large' })).body).toHaveLength(5_000_000);
  });

  test('what has no answer, and what is refused, is an error', async () => {
    await expect(api.call({ path: '/gone', method: 'POST' })).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      reason: 'UPSTREAM_UNAVAILABLE',
      target: 'api',
    });
    await expect(api.call({ headers: { 'X-Key': 'mine' } })).rejects.toMatchObject({
      reason: 'INVALID_REQUEST',
    });
    await expect(holdfast.upstream('other').call()).rejects.toMatchObject({
      code: 'NOT_FOUND',
      reason: 'UNKNOWN_TARGET',
    });
    await expect(api.call({ body: {} as never })).rejects.toMatchObject({
      reason: 'INVALID_REQUEST',
    });
  });

  test('a call that is given up is given up at the server', async () => {
    const before = server.brokenOff();
    const signal = AbortSignal.timeout(100);
    await expect(api.call({ path: '/hang', signal })).rejects.toMatchObject({
      reason: 'CANCELLED',
    });
    await expect.poll(() => server.brokenOff()).toBe(before + 1);
    await expect(api.call({ path: '/hang', deadlineMs: 100 })).rejects.toMatchObject({
      reason: 'DEADLINE_EXCEEDED',
    });
    await expect.poll(() => server.brokenOff()).toBe(before + 2);
  });
});

test('a secret that is replaced is used a moment later, and a new policy at once', async () => {
  await using holdfast = connect({ address: sidecar.address });
  const keySent = async (): Promise<unknown> => {
    const answer = (await holdfast.upstream('keyed').call()).json() as {
      headers: Record<string, string>;
    };
    return answer.headers['x-key'];
  };
  sidecar.secret('keyed', 'token', 'first\n');
  const headers = [{ name: 'x-key', secretRef: { name: 'keyed' } }];
  const keyed = { kind: 'Upstream', name: 'keyed', upstream: { baseUrl: server.url, headers } };
  sidecar.swap({ targets: [api, keyed] });
  await expect.poll(() => keySent().catch(() => ''), { timeout: 3_000 }).toBe('first');
  sidecar.secret('keyed', 'token', 'second\n');
  await expect.poll(keySent, { timeout: 5_000 }).toBe('second');
  sidecar.swap({ targets: [api] });
  await expect
    .poll(() => keySent().catch((error: { reason: string }) => error.reason), { timeout: 3_000 })
    .toBe('UNKNOWN_TARGET');
});

describe('streams', () => {
  let holdfast: Holdfast;
  let api: Upstream;

  beforeAll(() => {
    holdfast = connect({ address: sidecar.address });
    api = holdfast.upstream('api');
  });
  afterAll(() => holdfast.close());

  test('the head first, then events as they come; leaving the loop ends it at the server', async () => {
    const before = server.brokenOff();
    const answer = await api.stream({ path: '/events' });
    expect(answer).toMatchObject({ status: 200, ok: true, attempts: 1, source: 'target' });
    expect(answer.headers.get('content-type')).toBe('text/event-stream');
    let events = '';
    for await (const chunk of answer) {
      events += chunk.toString();
      if (events.includes('data: 2\n')) break;
    }
    expect(events).toMatch(/^data: 0\n\ndata: 1\n\ndata: 2\n/);
    await expect.poll(() => server.brokenOff()).toBe(before + 1);
  });

  test('a stream that nobody reads can be ended, and so can one whose reader waits', async () => {
    const before = server.brokenOff();
    {
      await using unread = await api.stream({ path: '/events' });
      expect(unread.ok).toBe(true);
    }
    await expect.poll(() => server.brokenOff()).toBe(before + 1);
    const read = await api.stream({ path: '/events' });
    const chunks = read[Symbol.asyncIterator]();
    await chunks.next();
    const waiting = (async () => {
      for await (const chunk of chunks) void chunk;
    })();
    await read.cancel();
    await waiting;
    await expect.poll(() => server.brokenOff()).toBe(before + 2);
  });

  test('errors before the head reject, an aborted signal ends the loop with CANCELLED', async () => {
    await expect(api.stream({ path: '/..' })).rejects.toMatchObject({ reason: 'INVALID_REQUEST' });
    const controller = new AbortController();
    const answer = await api.stream({ path: '/events', signal: controller.signal });
    const reading = (async () => {
      for await (const chunk of answer) if (chunk.length > 0) controller.abort();
    })();
    await expect(reading).rejects.toMatchObject({ reason: 'CANCELLED' });
  });

  test('a reader that stops to read stops the server, with little on the way', async () => {
    await using answer = await api.stream({ path: '/endless' });
    await answer[Symbol.asyncIterator]().next();
    await later(400);
    const before = written;
    await later(300);
    expect(written).toBe(before);
    expect(written).toBeLessThan(20_000_000);
  });

  test('a large answer comes whole', async () => {
    let bytes = 0;
    for await (const chunk of await api.stream({ path: '/large' })) bytes += chunk.length;
    expect(bytes).toBe(5_000_000);
  });

  test('fetch gives Responses', async () => {
    const { fetch } = api;
    const answer = await fetch('http://anything.example/items?x=1', {
      method: 'POST',
      body: JSON.stringify({ n: 1 }),
      headers: { 'content-type': 'application/json' },
      idempotent: true,
    });
    expect(answer).toBeInstanceOf(Response);
    expect(await answer.json()).toMatchObject({
      method: 'POST',
      url: '/items?x=1',
      headers: { 'content-type': 'application/json', 'x-key': 'of the policy' },
      body: '{"n":1}',
    });
    expect(await fetch('/500')).toMatchObject({ status: 500, ok: false });
    expect(await (await fetch('/empty')).text()).toBe('');
    const fromRequest = await fetch(new Request('http://any/from', { method: 'PUT', body: 'b' }));
    expect(await fromRequest.json()).toMatchObject({ method: 'PUT', url: '/from', body: 'b' });
  });

  test('fetch is aborted as the global one is, before and after the head', async () => {
    const before = server.brokenOff();
    const hung = api.fetch('/hang', { signal: AbortSignal.timeout(50) });
    await expect(hung).rejects.toMatchObject({ name: 'TimeoutError' });
    const answer = await api.fetch('/events');
    await answer.body?.cancel();
    await expect.poll(() => server.brokenOff()).toBe(before + 2);
  });
});

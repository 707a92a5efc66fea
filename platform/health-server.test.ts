import { Gauge, Registry } from 'prom-client';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { serveHealth, type HealthServer } from './health-server.ts';

let registry: Registry;
let ready: boolean;
let health: HealthServer;

beforeEach(async () => {
  registry = new Registry();
  ready = true;
  health = await serveHealth({ port: 0, registry, ready: () => ready });
});
afterEach(() => health.close());

const get = async (path: string): Promise<[status: number, text: string, type: string | null]> => {
  const response = await fetch(`http://127.0.0.1:${health.port}${path}`);
  return [response.status, await response.text(), response.headers.get('content-type')];
};

test('the program lives as long as it answers, whether it serves or not', async () => {
  ready = false;
  expect(await get('/livez')).toEqual([200, 'ok\n', 'text/plain; charset=utf-8']);
});

test('it is ready while it serves', async () => {
  expect((await get('/readyz?verbose')).slice(0, 2)).toEqual([200, 'ok\n']);
  ready = false;
  expect((await get('/readyz')).slice(0, 2)).toEqual([503, 'not serving\n']);
});

test('metrics come as Prometheus reads them', async () => {
  new Gauge({ name: 'holdfast_test', help: 'A test.', registers: [registry] }).set(7);
  const [status, text, type] = await get('/metrics');
  expect([status, type]).toEqual([200, registry.contentType]);
  expect(text).toContain('holdfast_test 7\n');
});

test('metrics that cannot be gathered are an error of the server, and tell nothing of its cause', async () => {
  const collect = (): void => {
    throw new Error('secret');
  };
  registry.registerMetric(
    new Gauge({ name: 'holdfast_test', help: 'A test.', registers: [], collect }),
  );
  expect((await get('/metrics')).slice(0, 2)).toEqual([500, 'metrics cannot be gathered\n']);
});

test('any other path is not found', async () => {
  const [status, text] = await get('/');
  expect([status, text]).toEqual([404, 'there are /livez, /readyz and /metrics\n']);
});

test('a port that is taken stops the start', async () => {
  await expect(
    serveHealth({ port: health.port, registry, ready: () => true }),
  ).rejects.toMatchObject({
    code: 'EADDRINUSE',
  });
});

test('closing ends connections that clients keep open', async () => {
  await get('/livez');
  await health.close();
  await expect(get('/livez')).rejects.toThrow('fetch failed');
  health = await serveHealth({ port: 0, registry: new Registry(), ready: () => true });
});

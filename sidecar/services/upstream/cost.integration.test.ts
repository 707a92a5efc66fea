import { expect, test } from 'vitest';
import { closedPort } from '../../http/http-server.test-kit.ts';
import { aCall, quickRetry, rejection, serve, UpstreamBed } from './upstream.test-kit.ts';

const cost = { limit: 10, windowMs: 86_400_000, estimate: 1, reservationMs: 60_000 };

/** What has been spent by a key, in units. */
const spent = async (bed: UpstreamBed, key = ''): Promise<number> => {
  const account = await bed.targets.named('Upstream', 'api').ledger?.account(key, aCall());
  return ((account?.settled ?? NaN) + (account?.overshoot ?? NaN)) / 1_000_000;
};

test('each try costs its estimate, the one of the policy or of the request', async () => {
  await using it = await serve(
    (response) => {
      response.writeHead(500);
      response.end();
    },
    { cost, retry: quickRetry },
  );
  await it.bed.call('api');
  expect(await spent(it.bed)).toBe(3);
  await it.bed.call('api', { cost: 0.25, costKey: 'team' });
  expect(await spent(it.bed, 'team')).toBe(0.75);
  expect(await spent(it.bed)).toBe(3);
});

test.each([
  ['0.2', 0.2],
  ['0', 0],
  ['3', 3],
  ['-1', 1],
  ['a lot', 1],
  ['1e400', 1],
  ['', 1],
])('an answer that says %j costs %d', async (text, expected) => {
  await using it = await serve(
    (response) => {
      response.writeHead(200, { 'x-cost': text });
      response.end();
    },
    { cost },
  );
  await it.bed.call('api', { costHeader: 'X-Cost' });
  expect(await spent(it.bed)).toBe(expected);
  await it.bed.stream('api', { costHeader: 'X-Cost', costKey: 'streams' });
  expect(await spent(it.bed, 'streams')).toBe(expected);
});

test('a request that was not sent costs nothing', async () => {
  const baseUrl = `http://127.0.0.1:${await closedPort()}`;
  await using bed = new UpstreamBed([
    { name: 'api', upstream: { baseUrl }, cost, retry: quickRetry },
  ]);
  await rejection(bed.call('api', { method: 'POST' }));
  expect(await spent(bed)).toBe(0);
});

test('beyond the limit nothing is sent', async () => {
  await using it = await serve((response) => void response.end(), { cost });
  expect(await it.bed.call('api', { cost: 9.5 })).toMatchObject({ status: 200 });
  expect(await rejection(it.bed.call('api'))).toMatchObject({ reason: 'COST_BUDGET_EXCEEDED' });
  expect(it.server.requests).toHaveLength(1);
});

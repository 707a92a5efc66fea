import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connect } from '../clients/typescript/index.ts';
import { FaultProxy } from '../scripts/faults/fault-proxy.ts';
import { testDatabase, type TestDatabase } from '../scripts/servers/test-database.ts';
import { inspectPolicies } from './policies.test-kit.ts';
import { startSidecar } from './sidecar.test-kit.ts';

let server: TestDatabase;
beforeAll(async () => {
  server = await testDatabase();
});
afterAll(() => server.drop());

const target = (settings: object): object => ({ kind: 'Postgres', name: 'default', ...settings });

/** A sidecar with a policy, its database behind a proxy that can break. */
async function aSidecar(policy: { targets?: object[]; shadow?: object[] }) {
  const url = new URL(server.url);
  const proxy = await FaultProxy.to({ host: url.hostname, port: Number(url.port) }, 'postgresql');
  url.port = String(proxy.port);
  const sidecar = await startSidecar({
    databaseUrl: url.href,
    postgres: { pool: { min: 1, max: 20 } },
    ...policy,
  });
  const holdfast = connect({ address: sidecar.address });
  const metric = async (line: string): Promise<number | undefined> => {
    const text = await (await fetch(`http://127.0.0.1:${sidecar.app.httpPort}/metrics`)).text();
    const found = text.split('\n').find((each) => each.startsWith(line));
    return found === undefined ? undefined : Number(found.slice(line.length));
  };
  return {
    proxy,
    db: holdfast.database(),
    inspect: () => inspectPolicies(sidecar.address),
    metric,
    [Symbol.asyncDispose]: async () => {
      await holdfast.close();
      await sidecar.stop();
      await proxy[Symbol.asyncDispose]();
    },
  };
}

test('transactions that lose their connections open a breaker, too', async () => {
  const breaker = { minCalls: 4 };
  await using it = await aSidecar({ targets: [target({ breaker })] });
  const reasons: unknown[] = [];
  for (let call = 0; call < 6; call += 1) {
    await it.db
      .transaction((tx) => tx.query('select pg_terminate_backend(pg_backend_pid())'))
      .catch((error: { reason: string }) => reasons.push(error.reason));
  }
  expect(reasons[3]).toBe('TRANSACTION_ROLLED_BACK');
  expect(reasons.at(-1)).toBe('BREAKER_OPEN');
});

const labels = '{kind="Postgres",target="default"';

test('a breaker opens when the database breaks its connections, refuses at once, and closes when it is well', async () => {
  const breaker = { minCalls: 5, openMs: 500, halfOpenCalls: 1 };
  await using it = await aSidecar({ targets: [target({ breaker, retry: { maxAttempts: 1 } })] });
  await it.db.query('select 1');
  it.proxy.rule = ({ type }) => (type === 'Execute' ? { cut: 'before' } : undefined);
  const reasons: unknown[] = [];
  for (let call = 0; call < 20; call += 1) {
    await it.db
      .query('select now()')
      .catch((error: { reason: string }) => reasons.push(error.reason));
  }
  expect(reasons.at(-1)).toBe('BREAKER_OPEN');
  expect(await it.metric(`holdfast_breaker_state${labels}} `)).toBe(2);
  expect(
    await it.metric(`holdfast_refusals_total${labels},reason="BREAKER_OPEN"} `),
  ).toBeGreaterThan(0);
  expect((await it.inspect()).targets).toMatchObject([{ breaker: 'open' }]);

  it.proxy.rule = undefined;
  await expect
    .poll(() => it.db.query('select 1 as n').catch(() => undefined), { timeout: 5_000 })
    .toBeDefined();
  await expect.poll(async () => (await it.inspect()).targets[0]?.breaker).toBe('closed');
});

test('a statement that a caller got wrong says nothing of the database', async () => {
  const breaker = { minCalls: 1, failureRate: 0.01 };
  await using it = await aSidecar({ targets: [target({ breaker })] });
  for (let call = 0; call < 10; call += 1) {
    await expect(it.db.query('select nothing from nowhere')).rejects.toMatchObject({
      reason: 'DATABASE_ERROR',
    });
  }
  expect((await it.inspect()).targets).toMatchObject([{ breaker: 'closed' }]);
});

describe('the concurrency limit', () => {
  const concurrency = { max: 2, queue: 1, queueTimeoutMs: 5_000 };

  test('counts a transaction from its Begin to its end, and refuses with the reason', async () => {
    await using it = await aSidecar({ targets: [target({ concurrency })] });
    let finish = (): void => {};
    const finished = new Promise<void>((resolve) => (finish = resolve));
    const open = [1, 2].map(() =>
      it.db.transaction(async (tx) => {
        await tx.query('select 1');
        await finished;
      }),
    );
    await expect.poll(async () => (await it.inspect()).targets[0]?.inFlight).toBe(2);
    const waits = it.db.query('select 1 as n');
    await expect.poll(async () => (await it.inspect()).targets[0]?.waiting).toBe(1);
    const refusal = await it.db.query('select 1').catch((error: unknown) => error);
    expect(refusal).toMatchObject({ reason: 'CONCURRENCY_LIMIT', code: 'RESOURCE_EXHAUSTED' });
    expect((refusal as { retryAfterMs: number }).retryAfterMs).toBeGreaterThan(0);
    finish();
    await Promise.all(open);
    expect((await waits).rows).toEqual([{ n: 1 }]);
    await expect.poll(async () => (await it.inspect()).targets[0]?.inFlight).toBe(0);
  });

  test('is given back by transactions that are abandoned', async () => {
    await using it = await aSidecar({ targets: [target({ concurrency })] });
    for (let round = 0; round < 10; round += 1) {
      await it.db
        .transaction(async (tx) => {
          await tx.query('select 1');
          throw new Error('enough');
        })
        .catch(() => {});
      await it.db.query('select broken').catch(() => {});
    }
    expect((await it.inspect()).targets).toMatchObject([{ inFlight: 0, waiting: 0 }]);
  });
});

test('perTryMs ends a try on the server too, and what only reads is tried again', async () => {
  const timeout = { totalMs: 5_000, perTryMs: 300 };
  await using it = await aSidecar({
    targets: [target({ timeout, retry: { maxAttempts: 2, backoff: { baseMs: 1, maxMs: 1 } } })],
  });
  await it.db.query('create table if not exists tries (n int)');
  const failed = it.db.query('select pg_sleep(3)', [], { idempotent: true });
  await expect(failed).rejects.toMatchObject({
    reason: 'TARGET_TIMEOUT',
    code: 'DEADLINE_EXCEEDED',
  });
  await expect(failed).rejects.toThrow('timeout.perTryMs');
  expect(await it.metric(`holdfast_retries_total${labels}} `)).toBe(1);
  // A write is not: it may have been done.
  await expect(it.db.query('insert into tries select 1 from pg_sleep(1)')).rejects.toMatchObject({
    code: 'DEADLINE_EXCEEDED',
  });
  expect(await it.metric(`holdfast_retries_total${labels}} `)).toBe(1);
});

test('a policy in shadow mode refuses nothing, and counts what it would have refused', async () => {
  const shadow = [
    target({
      concurrency: { max: 1, queue: 0 },
      timeout: { totalMs: 100 },
      rate: { perSecond: 0.001, burst: 3 },
    }),
  ];
  await using it = await aSidecar({ shadow });
  await Promise.all(Array.from({ length: 8 }, () => it.db.query('select pg_sleep(0.2)')));
  for (let call = 0; call < 5; call += 1) await it.db.query('select 1');
  await sleep(10);
  const of = (reason: string) =>
    it.metric(`holdfast_shadow_refusals_total${labels},reason="${reason}"} `);
  expect(await of('CONCURRENCY_LIMIT')).toBe(7);
  expect(await of('RATE_LIMITED')).toBe(3);
  expect(await of('TARGET_TIMEOUT')).toBe(8);
  expect(await it.metric('holdfast_refusals_total')).toBeUndefined();
  expect((await it.inspect()).targets).toMatchObject([{ shadowed: true, limit: 0 }]);
});

import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type TestDatabase, testDatabase } from '../../scripts/servers/test-database.ts';
import { startSidecar, type TestSidecar } from '../../sidecar/sidecar.test-kit.ts';
import { type Budget, connect, type Guard, type Holdfast } from './index.ts';

let database: TestDatabase;
let sidecar: TestSidecar;

const cost = { limit: 1, windowMs: 86_400_000, estimate: 0.3 };
const breaker = { failureRate: 0.5, minCalls: 4, windowMs: 60_000, openMs: 60_000 };
const targets = [
  { kind: 'Guard', name: 'one', concurrency: { max: 1, queue: 0 } },
  { kind: 'Guard', name: 'llm', cost },
  { kind: 'Guard', name: 'fleet', cost: { ...cost, scope: 'Fleet' } },
  { kind: 'Guard', name: 'slow', timeout: { totalMs: 60, perTryMs: 0 } },
  ...['session', 'unary'].flatMap((transport) => [
    { kind: 'Guard', name: `throttled-${transport}`, breaker },
    { kind: 'Guard', name: `failing-${transport}`, breaker },
  ]),
];

beforeAll(async () => {
  database = await testDatabase();
  sidecar = await startSidecar({ databaseUrl: database.url, targets });
});

afterAll(async () => {
  await sidecar.stop();
  await database.drop();
});

describe.each(['session', 'unary'] as const)('over %s', (transport) => {
  let holdfast: Holdfast;
  let one: Guard;
  let llm: Guard;
  let budget: Budget;
  beforeAll(() => {
    holdfast = connect({ address: sidecar.address, transport });
    one = holdfast.guard('one');
    llm = holdfast.guard('llm');
    budget = holdfast.budget('llm');
  });
  afterAll(() => holdfast.close());

  test('a permit is exited once, at the latest at the end of its block', async () => {
    {
      await using permit = await one.enter();
      expect(permit.leaseMs).toBe(transport === 'session' ? undefined : 60_000);
      expect(permit.timeoutMs).toBeUndefined();
      await expect(one.enter()).rejects.toMatchObject({
        code: 'RESOURCE_EXHAUSTED',
        reason: 'CONCURRENCY_LIMIT',
        target: 'one',
      });
      expect(await permit.exit('success')).toBe(0);
      await expect(permit.exit('success')).rejects.toMatchObject({ reason: 'UNKNOWN_PERMIT' });
    }
    {
      await using _forgotten = await one.enter({ leaseMs: 5_000 });
    }
    await using _next = await one.enter();
  });

  test('run gives what the call gives, and exits whatever happens', async () => {
    expect(await one.run(() => 7)).toBe(7);
    await expect(one.run(() => Promise.reject(new Error('theirs')))).rejects.toThrow('theirs');
    expect(await one.run(async ({ signal }) => signal.aborted)).toBe(false);
  });

  test('run tells what a call did cost, and is charged the estimate when it says nothing', async () => {
    const costKey = `run ${transport}`;
    await llm.run((call) => call.charge(0.2), { cost: 0.5, costKey });
    await llm.run(() => {}, { costKey });
    await expect(
      llm.run(
        (call) => {
          call.charge(0.15);
          throw new Error('after all');
        },
        { cost: 0.1, costKey },
      ),
    ).rejects.toThrow('after all');
    expect(await budget.inspect({ key: costKey })).toMatchObject({
      limit: 1,
      settled: 0.6,
      reserved: 0,
      overshoot: 0.05,
      available: 0.35,
    });
    await expect(llm.run((call) => call.charge(-1), { cost: 0.01, costKey })).rejects.toThrow(
      'a cost is a number',
    );
    await expect(llm.enter({ cost: 0.5, costKey })).rejects.toMatchObject({
      reason: 'COST_BUDGET_EXCEEDED',
      metadata: { settled: '0.61' },
    });
  });

  test('the time that the policy leaves a call is kept by run', async () => {
    const slow = holdfast.guard('slow');
    const permit = await slow.enter();
    expect(permit.timeoutMs).toBe(60);
    await permit.exit('dropped');
    await expect(
      slow.run(({ signal }) => sleep(5_000, undefined, { signal })),
    ).rejects.toMatchObject({ cause: { reason: 'TARGET_TIMEOUT', target: 'slow' } });
  });

  test('failures open the breaker; what is throttled, or given up by its caller, does not', async () => {
    const throttled = holdfast.guard(`throttled-${transport}`);
    const failing = holdfast.guard(`failing-${transport}`);
    const fails = (guard: Guard, error: Error): Promise<unknown> =>
      guard.run(() => Promise.reject(error)).catch(() => {});
    for (let call = 0; call < 6; call += 1) {
      await fails(throttled, Object.assign(new Error('slower'), { status: 429 }));
      await throttled.run((guarded) => {
        guarded.outcome = 'throttled';
      });
      const controller = new AbortController();
      await expect(
        throttled.run(
          ({ signal }) => {
            controller.abort();
            return sleep(5_000, undefined, { signal });
          },
          { signal: controller.signal },
        ),
      ).rejects.toMatchObject({ cause: { reason: 'CANCELLED' } });
    }
    for (let call = 0; call < 4; call += 1) await fails(failing, new Error('broken'));
    await expect(failing.run(() => 1)).rejects.toMatchObject({
      reason: 'BREAKER_OPEN',
      retryAfterMs: expect.toSatisfy((ms: number) => ms > 0 && ms <= 60_000) as number,
    });
    expect(await throttled.run(() => 1)).toBe(1);
  });

  test.each(['llm', 'fleet'])(
    'a reservation of %s: settled, released, or settled by its block',
    async (name) => {
      const books = holdfast.budget(name);
      const key = `reserve ${transport}`;
      const id = `id ${transport}`;
      const first = await books.reserve(0.4, { key, id, ttlMs: 5_000 });
      expect(first).toMatchObject({ id, amount: 0.4, budget: { reserved: 0.4, available: 0.6 } });
      expect((await books.reserve(0.4, { key, id })).id).toBe(id);
      const second = await books.reserve(undefined, { key });
      expect(second.amount).toBe(0.3);
      await expect(books.reserve(0.31, { key })).rejects.toMatchObject({
        reason: 'COST_BUDGET_EXCEEDED',
      });
      await second.release();
      await second.release();
      expect(await first.settle(0.5)).toBe(0.1);
      expect(await first.settle(0.5)).toBe(0.1);
      await expect(first.release()).rejects.toMatchObject({ reason: 'UNKNOWN_RESERVATION' });
      {
        await using partly = await books.reserve(0.2, { key });
        partly.spend(0.05);
      }
      expect(await books.run(0.1, () => 7, { key })).toBe(7);
      await expect(
        books.run(
          0.2,
          (spend) => {
            spend(0);
            throw new Error('never called');
          },
          { key },
        ),
      ).rejects.toThrow('never called');
      const { settled, reserved, overshoot } = await books.inspect({ key });
      expect([settled, reserved, overshoot]).toEqual([0.55, 0, 0.1]);
    },
  );

  test('requests that cannot be sent are refused by name', async () => {
    await expect(one.enter({ leaseMs: -1 })).rejects.toThrow('leaseMs is a whole number');
    await expect(budget.reserve(0.1, { ttlMs: 1.5 })).rejects.toThrow('ttlMs is a whole number');
    await expect(holdfast.guard('nobody').enter()).rejects.toMatchObject({
      reason: 'UNKNOWN_TARGET',
    });
  });
});

test('the permits of a client that closes are ended', async () => {
  const gone = connect({ address: sidecar.address });
  await gone.guard('one').enter();
  await using holdfast = connect({ address: sidecar.address });
  await expect(holdfast.guard('one').enter()).rejects.toMatchObject({
    reason: 'CONCURRENCY_LIMIT',
  });
  await gone.close();
  await expect
    .poll(() =>
      holdfast
        .guard('one')
        .run(() => 'free')
        .catch(() => 'busy'),
    )
    .toBe('free');
});

import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { testDatabase, type TestDatabase } from '../../../scripts/servers/test-database.ts';
import type { EnterRequest } from '../../../platform/gen/holdfast/v1/EnterRequest.ts';
import type { ExitRequest } from '../../../platform/gen/holdfast/v1/ExitRequest.ts';
import type { BudgetState__Output } from '../../../platform/gen/holdfast/v1/BudgetState.ts';
import type { Permit__Output } from '../../../platform/gen/holdfast/v1/Permit.ts';
import { RawSession, type Answer } from '../../grpc/raw-session.test-kit.ts';
import { startSidecar, type TestSidecar } from '../../sidecar.test-kit.ts';
import { StockGuard } from './stock-guard.test-kit.ts';

let database: TestDatabase;
let sidecar: TestSidecar;
let stock: StockGuard;

const cost = { limit: 1, windowMs: 86_400_000, estimate: 0.3, warnAt: 0.5 };
const targets = [
  { kind: 'Guard', name: 'two', concurrency: { max: 2, queue: 0 } },
  { kind: 'Guard', name: 'queue', concurrency: { max: 1, queue: 10, queueTimeoutMs: 5_000 } },
  { kind: 'Guard', name: 'llm', cost, timeout: { totalMs: 9_000, perTryMs: 700 } },
  { kind: 'Guard', name: 'fleet', cost: { ...cost, scope: 'Fleet' } },
  {
    kind: 'Guard',
    name: 'frail',
    breaker: { failureRate: 0.5, minCalls: 4, windowMs: 60_000, openMs: 60_000 },
  },
];

const shadow = [{ kind: 'Guard', name: 'rehearsed', cost: { ...cost, limit: 0.5 } }];

beforeAll(async () => {
  database = await testDatabase();
  sidecar = await startSidecar({ databaseUrl: database.url, targets, shadow });
  stock = new StockGuard(sidecar.address);
});

afterAll(async () => {
  stock[Symbol.dispose]();
  await sidecar.stop();
  await database.drop();
});

const enterBy = (request: EnterRequest): Promise<Permit__Output> =>
  stock.call('Guard', 'enter', request);
const exitBy = (request: ExitRequest): Promise<{ overshoot: number }> =>
  stock.call('Guard', 'exit', request);
const budget = (target: string, key: string): Promise<BudgetState__Output> =>
  stock.call('Budgets', 'inspect', { target, key });

async function permitOf(session: RawSession, enter: EnterRequest): Promise<Permit__Output> {
  const { parts, failure } = await session.ask({ enter });
  if (failure !== undefined) throw Object.assign(new Error(), failure);
  return parts[0]?.enter as Permit__Output;
}

const leave = (session: RawSession, permitId: string): Promise<Answer> =>
  session.ask({ exit: { permitId, outcome: 'CALL_OUTCOME_SUCCESS' } });

async function metric(name: string): Promise<string | undefined> {
  const text = await (await fetch(`http://127.0.0.1:${sidecar.app.httpPort}/metrics`)).text();
  return text
    .split('\n')
    .find((line) => line.startsWith(name))
    ?.split(' ')[1];
}

describe.each(['session', 'unary'] as const)('through %s', (transport) => {
  let session: RawSession;
  beforeAll(() => {
    session = new RawSession(sidecar.address);
  });
  afterAll(() => session.close());

  const enter = (request: EnterRequest): Promise<Permit__Output> =>
    transport === 'session' ? permitOf(session, request) : enterBy(request);
  const ask = async (request: ExitRequest): Promise<unknown> => {
    if (transport === 'unary') return exitBy(request);
    const { parts, failure } = await session.ask({ exit: request });
    if (failure !== undefined) throw Object.assign(new Error(), failure);
    return parts[0]?.exit;
  };

  test('as many enter as may, and each Exit lets the next one in', async () => {
    const one = await enter({ target: 'two' });
    const two = await enter({ target: 'two' });
    expect(one.permitId).toMatch(/^[0-9a-f-]{36}$/);
    expect(one.permitId).not.toBe(two.permitId);
    expect(one).toMatchObject({ leaseMs: transport === 'session' ? 0 : 60_000, timeoutMs: 0 });
    await expect(stock.call('Guard', 'enter', { target: 'two' })).rejects.toMatchObject({
      status: 'RESOURCE_EXHAUSTED',
      reason: 'CONCURRENCY_LIMIT',
      metadata: { target: 'two' },
    });
    expect(await metric('holdfast_guard_permits_open{target="two"}')).toBe('2');
    const exit = { permitId: one.permitId, outcome: 'CALL_OUTCOME_SUCCESS' as const };
    expect(await ask(exit)).toEqual({ overshoot: 0 });
    await expect(ask(exit)).rejects.toMatchObject({ reason: 'UNKNOWN_PERMIT' });
    const three = await enter({ target: 'two' });
    for (const { permitId } of [two, three]) {
      await ask({ permitId, outcome: 'CALL_OUTCOME_DROPPED' });
    }
    expect(await metric('holdfast_guard_permits_open{target="two"}')).toBe('0');
  });

  test('what a call does cost is charged at Exit, and its overshoot told', async () => {
    const costKey = `exit ${transport}`;
    const dear = await enter({ target: 'llm', cost: 0.4, costKey });
    expect(dear.timeoutMs).toBe(700);
    const cheap = await enter({ target: 'llm', costKey });
    expect(await budget('llm', costKey)).toMatchObject({ settled: 0, reserved: 0.7 });
    const outcome = 'CALL_OUTCOME_SUCCESS' as const;
    expect(await ask({ permitId: dear.permitId, outcome, cost: 0.5 })).toMatchObject({
      overshoot: 0.1,
    });
    await expect(enter({ target: 'llm', cost: 0.21, costKey })).rejects.toMatchObject({
      reason: 'COST_BUDGET_EXCEEDED',
    });
    await ask({ permitId: cheap.permitId, outcome, cost: 0.01 });
    expect(await budget('llm', costKey)).toMatchObject({
      limit: 1,
      settled: 0.41,
      reserved: 0,
      overshoot: 0.1,
      available: 0.49,
    });
  });

  test('a lease ends a permit that nobody exits, and its estimate is charged', async () => {
    const costKey = `lease ${transport}`;
    const { permitId, leaseMs } = await enter({ target: 'llm', leaseMs: 100, costKey });
    expect(leaseMs).toBe(100);
    expect(await budget('llm', costKey)).toMatchObject({ settled: 0, reserved: 0.3 });
    await sleep(150);
    expect(await budget('llm', costKey)).toMatchObject({ settled: 0.3, reserved: 0 });
    await expect(ask({ permitId, outcome: 'CALL_OUTCOME_SUCCESS' })).rejects.toMatchObject({
      reason: 'UNKNOWN_PERMIT',
    });
  });

  test('requests that make no sense are refused', async () => {
    await expect(enter({ target: 'nobody' })).rejects.toMatchObject({ reason: 'UNKNOWN_TARGET' });
    const senseless: EnterRequest[] = [
      { target: 'llm', leaseMs: 3_600_001 },
      { target: 'llm', cost: -1 },
      { target: 'llm', cost: Number.NaN },
      { target: 'llm', costKey: 'k'.repeat(201) },
      { target: 'fleet', costKey: '\0' },
      { target: 'two', cost: 1 },
    ];
    for (const request of senseless) {
      await expect(enter(request)).rejects.toMatchObject({ reason: 'INVALID_REQUEST' });
    }
    const { permitId } = await enter({ target: 'two' });
    await expect(ask({ permitId })).rejects.toMatchObject({ reason: 'INVALID_REQUEST' });
    const outcome = 'CALL_OUTCOME_FAILURE' as const;
    await expect(ask({ permitId, outcome, cost: -1 })).rejects.toMatchObject({
      reason: 'INVALID_REQUEST',
    });
    // It is still open.
    await ask({ permitId, outcome });
  });
});

test('the end of a session ends its permits, and their estimates are charged; those with a lease too', async () => {
  const session = new RawSession(sidecar.address);
  await permitOf(session, { target: 'two' });
  await permitOf(session, { target: 'two', leaseMs: 60_000 });
  await permitOf(session, { target: 'llm', costKey: 'gone' });
  await permitOf(session, { target: 'fleet', costKey: 'gone' });
  await expect(enterBy({ target: 'two' })).rejects.toMatchObject({ reason: 'CONCURRENCY_LIMIT' });
  session.close();
  const other = await untilEntered();
  expect(await budget('llm', 'gone')).toMatchObject({ settled: 0.3, reserved: 0 });
  await expect
    .poll(() => budget('fleet', 'gone'))
    .toMatchObject({ settled: 0.3, reserved: 0, available: 0.7 });
  expect(await metric('holdfast_guard_permits_expired_total{target="two",cause="session"}')).toBe(
    '2',
  );
  await exitBy({ permitId: other, outcome: 'CALL_OUTCOME_SUCCESS' });
});

async function untilEntered(): Promise<string> {
  for (;;) {
    try {
      return (await enterBy({ target: 'two' })).permitId;
    } catch {
      await sleep(5);
    }
  }
}

test('a permit of a call outlives it: unary callers exit later, and from elsewhere', async () => {
  const { permitId } = await enterBy({ target: 'two' });
  using session = new RawSession(sidecar.address);
  expect((await leave(session, permitId)).failure).toBeUndefined();
});

test('who waits for his turn gets it from an Exit, and who gives up in the queue takes no place', async () => {
  const first = await enterBy({ target: 'queue' });
  const second = enterBy({ target: 'queue' });
  await expect(stock.call('Guard', 'enter', { target: 'queue' }, 50)).rejects.toMatchObject({
    // Whoever looks at his clock first.
    status: expect.stringMatching(/^(DEADLINE_EXCEEDED|RESOURCE_EXHAUSTED)$/) as string,
  });
  await exitBy({ permitId: first.permitId, outcome: 'CALL_OUTCOME_SUCCESS' });
  await exitBy({ permitId: (await second).permitId, outcome: 'CALL_OUTCOME_SUCCESS' });
  const last = await enterBy({ target: 'queue' });
  await exitBy({ permitId: last.permitId, outcome: 'CALL_OUTCOME_SUCCESS' });
});

test('what Exit tells moves the breaker: throttled and dropped calls do not', async () => {
  const run = async (outcome: NonNullable<ExitRequest['outcome']>): Promise<void> => {
    const { permitId } = await enterBy({ target: 'frail' });
    await exitBy({ permitId, outcome });
  };
  for (let call = 0; call < 6; call += 1) await run('CALL_OUTCOME_THROTTLED');
  for (let call = 0; call < 6; call += 1) await run('CALL_OUTCOME_DROPPED');
  for (let call = 0; call < 4; call += 1) await run('CALL_OUTCOME_FAILURE');
  await expect(enterBy({ target: 'frail' })).rejects.toMatchObject({
    status: 'UNAVAILABLE',
    reason: 'BREAKER_OPEN',
    retryAfterMs: expect.toSatisfy((ms: number) => ms > 0 && ms <= 60_000) as number,
  });
});

test('a rehearsed budget refuses nobody and charges nobody; what it would have refused is counted', async () => {
  for (let call = 0; call < 2; call += 1) {
    const { permitId } = await enterBy({ target: 'rehearsed' });
    await exitBy({ permitId, outcome: 'CALL_OUTCOME_SUCCESS' });
  }
  const labels = '{kind="Guard",target="rehearsed"';
  expect(await metric(`holdfast_cost_charged_total${labels}}`)).toBeUndefined();
  expect(
    await metric(`holdfast_shadow_refusals_total${labels},reason="COST_BUDGET_EXCEEDED"}`),
  ).toBe('1');
});

test('ten callers at once never have more than the fleet has', async () => {
  const all = await Promise.allSettled(
    Array.from({ length: 10 }, () => enterBy({ target: 'fleet', costKey: 'ten' })),
  );
  const permits = all.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
  expect(permits).toHaveLength(3);
  expect(await budget('fleet', 'ten')).toMatchObject({ reserved: 0.9, available: 0.1 });
  const [one, two, three] = permits as [Permit__Output, Permit__Output, Permit__Output];
  const outcome = 'CALL_OUTCOME_SUCCESS' as const;
  await exitBy({ permitId: one.permitId, outcome, cost: 0.1 });
  await exitBy({ permitId: two.permitId, outcome });
  expect(await exitBy({ permitId: three.permitId, outcome, cost: 0.35 })).toEqual({
    overshoot: 0.05,
  });
  expect(await budget('fleet', 'ten')).toMatchObject({
    settled: 0.7,
    reserved: 0,
    overshoot: 0.05,
  });
});

import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { testDatabase, type TestDatabase } from '../../../scripts/servers/test-database.ts';
import type { BudgetState__Output } from '../../../platform/gen/holdfast/v1/BudgetState.ts';
import type { Reservation__Output } from '../../../platform/gen/holdfast/v1/Reservation.ts';
import { RawSession } from '../../grpc/raw-session.test-kit.ts';
import { beside } from '../../postgres/database.test-kit.ts';
import { startSidecar, type TestSidecar } from '../../sidecar.test-kit.ts';
import { StockGuard } from '../guard/stock-guard.test-kit.ts';

let database: TestDatabase;
let sidecar: TestSidecar;
let stock: StockGuard;

const cost = { limit: 1, windowMs: 86_400_000, estimate: 0.3, reservationMs: 40_000, warnAt: 0.5 };
const upstream = { baseUrl: 'http://127.0.0.1:1' };
const targets = [
  { kind: 'Upstream', name: 'pod', upstream, cost },
  { kind: 'Guard', name: 'fleet', cost: { ...cost, scope: 'Fleet' } },
  { kind: 'Guard', name: 'free' },
];

beforeAll(async () => {
  database = await testDatabase();
  sidecar = await startSidecar({ databaseUrl: database.url, targets });
  stock = new StockGuard(sidecar.address);
});

afterAll(async () => {
  stock[Symbol.dispose]();
  await sidecar.stop();
  await database.drop();
});

const frames = { reserve: 'reserve', settle: 'settle', release: 'release', inspect: 'budget' };
type Method = keyof typeof frames;

describe.each([
  ['pod', 'session'],
  ['pod', 'unary'],
  ['fleet', 'session'],
  ['fleet', 'unary'],
] as const)('a budget of the %s through %s', (target, transport) => {
  const key = transport;
  let session: RawSession;
  beforeAll(() => {
    session = new RawSession(sidecar.address);
  });
  afterAll(() => session.close());

  const ask = async <Answer>(method: Method, request: object): Promise<Answer> => {
    const whole = { target, ...request };
    if (transport === 'unary') return stock.call('Budgets', method, whole);
    const { parts, failure } = await session.ask({ [frames[method]]: whole });
    if (failure !== undefined) throw Object.assign(new Error(), failure);
    return parts[0]?.[frames[method] as 'budget'] as Answer;
  };
  const reserve = (request: object): Promise<Reservation__Output> => ask('reserve', request);
  const inspect = (ofKey: string = key): Promise<BudgetState__Output> =>
    ask('inspect', { key: ofKey });

  test('reserve, settle, release and inspect, each again with the same answer', async () => {
    const reservationId = `a ${transport}`;
    const made = await reserve({ key, amount: 0.4, reservationId, ttlMs: 5_000 });
    expect(made).toMatchObject({
      reservationId,
      amount: 0.4,
      budget: { limit: 1, settled: 0, reserved: 0.4, overshoot: 0, available: 0.6 },
    });
    expect(made.expiresInMs).toBeGreaterThan(4_000);
    expect(made.expiresInMs).toBeLessThanOrEqual(5_000);
    await reserve({ key, amount: 0.4, reservationId });
    const other = await reserve({ key });
    expect(other.amount).toBe(0.3);
    expect(other.reservationId).toMatch(/^[0-9a-f-]{36}$/);
    expect(other.expiresInMs).toBeGreaterThan(39_000);
    expect(await inspect()).toMatchObject({ reserved: 0.7, available: 0.3 });

    for (const actual of [0.5, 0.1]) {
      expect(await ask('settle', { reservationId, actual })).toEqual({ overshoot: 0.1 });
    }
    const released = { reservationId: other.reservationId };
    for (let again = 0; again < 2; again += 1) expect(await ask('release', released)).toEqual({});
    await expect(ask('settle', released)).rejects.toMatchObject({ reason: 'UNKNOWN_RESERVATION' });
    await expect(ask('release', { reservationId })).rejects.toMatchObject({
      status: 'NOT_FOUND',
      reason: 'UNKNOWN_RESERVATION',
    });
    const now = await inspect();
    expect(now).toMatchObject({
      limit: 1,
      settled: 0.4,
      reserved: 0,
      overshoot: 0.1,
      available: 0.5,
    });
    const endsInMs = Number(now.windowEndsInMs);
    expect(endsInMs).toBeGreaterThan(0);
    expect(endsInMs).toBeLessThanOrEqual(cost.windowMs);
  });

  test('what does not fit is refused, with what there is and when the window ends', async () => {
    await reserve({ key: `full ${transport}`, amount: 0.8 });
    await expect(reserve({ key: `full ${transport}`, amount: 0.2001 })).rejects.toMatchObject({
      status: 'RESOURCE_EXHAUSTED',
      reason: 'COST_BUDGET_EXCEEDED',
      metadata: { target, limit: '1', settled: '0', reserved: '0.8', overshoot: '0' },
      retryAfterMs: expect.toSatisfy((ms: number) => ms > 0 && ms <= cost.windowMs) as number,
    });
  });

  test('a reservation that nobody settles is charged in full', async () => {
    const { reservationId } = await reserve({ key: `late ${transport}`, amount: 0.2, ttlMs: 50 });
    await sleep(80);
    expect(await inspect(`late ${transport}`)).toMatchObject({ settled: 0.2, reserved: 0 });
    await expect(ask('settle', { reservationId, actual: 0 })).rejects.toMatchObject({
      reason: 'UNKNOWN_RESERVATION',
    });
  });

  test('requests that make no sense are refused', async () => {
    const refused = (method: Method, request: object, reason: string): Promise<void> =>
      expect(ask(method, request)).rejects.toMatchObject({ reason });
    for (const each of [
      { amount: -1 },
      { amount: Number.POSITIVE_INFINITY },
      { amount: 2_000_000_001 },
      { key: 'k'.repeat(201) },
      { key: 'a\0b' },
      { reservationId: 'i'.repeat(65) },
      { ttlMs: 86_400_001 },
    ]) {
      await refused('reserve', each, 'INVALID_REQUEST');
    }
    await refused('settle', { reservationId: 'x', actual: -1 }, 'INVALID_REQUEST');
    await refused('settle', {}, 'INVALID_REQUEST');
    await refused('release', {}, 'INVALID_REQUEST');
    await refused('settle', { reservationId: 'nobody' }, 'UNKNOWN_RESERVATION');
    await refused('inspect', { target: 'free' }, 'UNKNOWN_TARGET');
    await refused('reserve', { target: 'nowhere' }, 'UNKNOWN_TARGET');
  });
});

test('the budget of a Guard is the one that Budgets has', async () => {
  const permit = await stock.call<{ permitId: string }>('Guard', 'enter', {
    target: 'fleet',
    costKey: 'shared',
  });
  expect(await stock.call('Budgets', 'inspect', { target: 'fleet', key: 'shared' })).toMatchObject({
    reserved: 0.3,
  });
  await stock.call('Guard', 'exit', { ...permit, outcome: 'CALL_OUTCOME_SUCCESS', cost: 0.2 });
});

test('metrics tell what was charged, in units', async () => {
  const text = await (await fetch(`http://127.0.0.1:${sidecar.app.httpPort}/metrics`)).text();
  const value = (name: string, target: string, kind: string): number =>
    Number(text.match(new RegExp(`${name}\\{kind="${kind}",target="${target}"\\} (.*)`))?.[1]);
  for (const [target, kind, shared] of [
    ['pod', 'Upstream', 0],
    ['fleet', 'Guard', 0.2],
  ] as const) {
    expect(value('holdfast_cost_charged_total', target, kind)).toBeCloseTo(0.8 + shared, 6);
    expect(value('holdfast_cost_overshoot_total', target, kind)).toBeCloseTo(0.2, 6);
    expect(value('holdfast_cost_expired_total', target, kind)).toBeCloseTo(0.4, 6);
    expect(value('holdfast_cost_warnings_total', target, kind)).toBe(4);
  }
});

test('a new limit of the policy holds for what was spent already, and without its database nothing is granted', async () => {
  const inspect = (): Promise<BudgetState__Output> =>
    stock.call('Budgets', 'inspect', { target: 'fleet', key: 'swap' });
  await stock.call('Budgets', 'reserve', { target: 'fleet', key: 'swap', amount: 0.5 });
  sidecar.swap({
    targets: [{ kind: 'Guard', name: 'fleet', cost: { ...cost, limit: 0.6, scope: 'Fleet' } }],
  });
  await expect.poll(inspect, { timeout: 5_000 }).toMatchObject({ limit: 0.6, available: 0.1 });
  await beside(database.url, (client) => client.query('drop schema holdfast cascade'));
  await expect(
    stock.call('Budgets', 'reserve', { target: 'fleet', key: 'swap', amount: 0.01 }),
  ).rejects.toMatchObject({ reason: 'MIGRATION_REQUIRED', metadata: { target: 'default' } });
});

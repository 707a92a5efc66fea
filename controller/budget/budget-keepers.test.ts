import { expect, test } from 'vitest';
import {
  budgetOf,
  conditionIn,
  ledgerIn,
  MemoryStore,
  replica,
} from './budget-keepers.test-kit.ts';

const session = (address: string, port: number, startedUs = '1') => ({ address, port, startedUs });
const none = { roleLimit: -1, databaseLimit: -1, serverLimit: 97 };

test('nothing is granted before the ledger is taken over, and nothing to a pod that is not in it', async () => {
  const store = new MemoryStore(budgetOf());
  const { keepers, clock, beat } = replica(store);
  keepers.lead();
  expect(beat('a')).toBeUndefined();
  await clock.advance(600);
  expect(ledgerIn(store)).toMatchObject({ version: 1, entries: [] });
  expect(beat('a', { demand: 5 })).toBeUndefined();
  await clock.advance(600);
  expect(ledgerIn(store).entries).toEqual([
    { pod: 'a', name: 'name-a', namespace: 'shop', address: 'at-a', boot: 1, floor: 2 },
  ]);
  const { epoch } = ledgerIn(store);
  const grant = beat('a', { demand: 5 });
  expect(grant).toMatchObject({ budget: 'orders', boot: 1, epoch, floor: 2, share: 5 });
  expect(grant).toMatchObject({ leaseMs: 10_000, list: false, terminate: [], gone: [] });
});

test('a changed spec is in force at once, and makes no other leader of this one', async () => {
  const store = new MemoryStore(budgetOf());
  const { keepers, clock, beat, opened } = replica(store);
  await opened('a');
  const { epoch } = ledgerIn(store);
  keepers.budgetChanged(
    'orders',
    store.change({ spec: { total: 6 }, metadata: { generation: 2 } }),
  );
  beat('b', { demand: 1 });
  await clock.advance(1_500);
  expect(ledgerIn(store)).toMatchObject({ epoch, entries: [{ pod: 'a' }, { pod: 'b' }] });
  expect(store.budget?.status?.observedGeneration).toBe(2);
  beat('a', { demand: 30 });
  await clock.advance(300);
  expect(beat('a', { demand: 30 })?.share).toBeLessThanOrEqual(5);
});

test('who finds the ledger of another closes its books, and takes it over again only as the leader', async () => {
  const store = new MemoryStore(budgetOf());
  const former = replica(store);
  await former.opened('a');
  const first = ledgerIn(store);
  former.lease.isHeld = false;
  const next = replica(store, former.clock);
  await next.opened();
  const second = ledgerIn(store);
  expect(second.epoch).toBeGreaterThan(first.epoch);
  expect(second.entries).toEqual(first.entries);

  expect(former.beat('a', { demand: 1 })).toBeUndefined();
  await former.clock.advance(5_000);
  expect(ledgerIn(store).epoch).toBe(second.epoch);

  // It believes to lead, and has something to write.
  former.lease.isHeld = true;
  next.lease.isHeld = false;
  former.beat('b', { demand: 1 });
  await former.clock.advance(600);
  expect(former.keepers.views().size).toBe(0);
  expect(former.beat('a', { demand: 1 })).toBeUndefined();
  await former.clock.advance(1_500);
  expect(ledgerIn(store).epoch).toBe(second.epoch + 1);
});

test('a replica that follows answers nobody and writes nothing', async () => {
  const store = new MemoryStore(budgetOf());
  const { keepers, clock, beat, opened } = replica(store);
  await opened('a');
  expect(beat('a')).toBeDefined();
  keepers.follow();
  const { writes } = store;
  expect(beat('a')).toBeUndefined();
  await clock.advance(10_000);
  expect(store.writes).toBe(writes);
  expect(clock.alarms).toBe(0);
});

test.each(['lose the answer', 'fail'] as const)(
  'writes that %s are made again, by the same leader',
  async (fault) => {
    const store = new MemoryStore(budgetOf());
    const { clock, beat, opened } = replica(store);
    await opened('a');
    const { epoch } = ledgerIn(store);
    beat('b', { demand: 1 });
    store.next = fault;
    await clock.advance(600);
    expect(beat('b', { demand: 1 })).toBeUndefined();
    await clock.advance(1_500);
    expect(ledgerIn(store)).toMatchObject({ epoch, entries: [{ pod: 'a' }, { pod: 'b' }] });
    expect(beat('b', { demand: 1 })).toBeDefined();
  },
);

test('who came after a write whose answer was lost is answered when it is written, too', async () => {
  const store = new MemoryStore(budgetOf());
  const { clock, beat, opened } = replica(store);
  await opened('a');
  beat('b', { demand: 1 });
  store.next = 'lose the answer';
  await clock.advance(600);
  expect(ledgerIn(store).entries).toHaveLength(2);
  beat('c', { demand: 1 });
  const early: number[] = [];
  for (let round = 0; round < 12; round += 1) {
    await clock.advance(250);
    const isWritten = ledgerIn(store).entries.some(({ pod }) => pod === 'c');
    if (beat('c', { demand: 1 }) !== undefined && !isWritten) early.push(round);
  }
  expect(early).toEqual([]);
  expect(ledgerIn(store).entries).toHaveLength(3);
});

test('who came while the ledger was written is written next', async () => {
  const store = new MemoryStore(budgetOf({ floor: 0 }));
  const { clock, beat, opened } = replica(store);
  await opened('a');
  beat('b', { demand: 1 });
  store.duringNext = () => beat('c', { demand: 1 });
  await clock.advance(3_000);
  expect(ledgerIn(store).entries).toHaveLength(3);
});

test('a budget that was deleted and made again has a higher epoch, which sidecars take', async () => {
  const store = new MemoryStore(budgetOf());
  const { keepers, clock, opened } = replica(store);
  await clock.advance(2 * 1_577_836_800_000);
  await opened('a');
  const { epoch } = ledgerIn(store);
  keepers.budgetChanged('orders', undefined);
  await clock.advance(5_000);
  store.budget = budgetOf({}, { uid: 'two' });
  keepers.budgetChanged('orders', store.budget);
  await clock.advance(600);
  expect(ledgerIn(store).entries).toEqual([]);
  expect(ledgerIn(store).epoch).toBeGreaterThan(epoch);
});

test('pods of a namespace that the budget does not allow get nothing, nor do heartbeats that no sidecar sends', async () => {
  const store = new MemoryStore(budgetOf());
  const { beat, opened, registry } = replica(store);
  await opened('a');
  expect(beat('a', { namespace: 'other' })).toBeUndefined();
  expect(beat('a', { ports: [0] })).toBeUndefined();
  expect(beat('a', { ports: [70_000] })).toBeUndefined();
  expect(beat('a', { number: '18446744073709551615' })).toBeUndefined();
  expect(
    beat('a', { listing: { ...none, asked: '1', sessions: [session('x', 0)] } }),
  ).toBeUndefined();
  expect(beat('a', { budget: 'unknown' })).toBeUndefined();
  expect(beat('a')).toBeDefined();
  const text = await registry.metrics();
  expect(text).toContain('heartbeats_refused_total{budget="orders",reason="malformed"} 4');
  expect(text).toContain('heartbeats_refused_total{budget="orders",reason="namespace"} 1');
});

test('the status has counts, what the server enforces, and which sessions were refused', async () => {
  const store = new MemoryStore(budgetOf());
  const { clock, beat, opened } = replica(store);
  await opened('a');
  expect(conditionIn(store, 'HardLimit')).toMatchObject({ status: 'Unknown' });
  const own = { share: 2, ports: [1, 2], refusals: '4', address: '192.0.2.9' };
  const asked = beat('a', { ...own, refusals: '1' });
  expect(asked?.list).toBe(true);
  const sessions = [session('192.0.2.9', 1), session('192.0.2.9', 2), session('192.0.2.1', 5)];
  const listing = { asked: String(asked?.answers), sessions, ...none, roleLimit: 40 };
  beat('a', { ...own, listing });
  await clock.advance(6_000);
  const status = store.budget?.status;
  expect(status).toMatchObject({ pods: 1, sessions: 2, foreign: 1, free: 37, refusals: 4 });
  expect(conditionIn(store, 'HardLimit')).toMatchObject({ status: 'True', reason: 'Enforced' });
  expect(conditionIn(store, 'Ready')).toMatchObject({ status: 'True', reason: 'Granting' });
  expect(conditionIn(store, 'BudgetTooSmall')).toMatchObject({ status: 'False' });
});

test('steady demand writes nothing, and counts that change are written every five seconds at most', async () => {
  const store = new MemoryStore(budgetOf());
  const { clock, beat, opened } = replica(store);
  await opened('a');
  let writes = 0;
  for (let second = 0; second < 30; second += 1) {
    beat('a', { demand: 3 });
    await clock.advance(1_000);
    if (second === 9) ({ writes } = store);
  }
  expect(store.writes).toBe(writes);
  for (let second = 0; second < 20; second += 1) {
    beat('a', { share: 3 + (second % 7), demand: 3 });
    await clock.advance(1_000);
  }
  expect(store.writes - writes).toBeGreaterThan(0);
  expect(store.writes - writes).toBeLessThanOrEqual(5);
});

test('floors that would be more than half of the budget are told', async () => {
  const store = new MemoryStore(budgetOf({ total: 6 }));
  const { clock, opened } = replica(store);
  await opened('a', 'b', 'c');
  await clock.advance(2_000);
  const condition = conditionIn(store, 'BudgetTooSmall');
  expect(condition).toMatchObject({ status: 'True', reason: 'FloorsExceedHalf' });
});

test('a pod that is gone and has nothing left leaves the ledger', async () => {
  const store = new MemoryStore(budgetOf());
  const { clock, beat, opened, gone } = replica(store);
  await opened('a', 'b');
  gone.add('a');
  for (let second = 0; second < 90; second += 1) {
    const asked = beat('b', { share: 2, ports: [9], demand: 1 });
    const listing = { asked: String(asked?.answers), sessions: [session('at-b', 9)], ...none };
    beat('b', { share: 2, ports: [9], demand: 1, listing });
    await clock.advance(1_000);
  }
  expect(ledgerIn(store).entries).toMatchObject([{ pod: 'b' }]);
});

test('sessions that nobody owns are named as the server named them', async () => {
  const store = new MemoryStore(budgetOf());
  const { clock, beat, opened } = replica(store);
  await opened('a', 'b');
  const startedUs = '1763758800123457';
  beat('a', { share: 2, ports: [7], demand: 1 });
  for (let second = 0; second < 11; second += 1) {
    await clock.advance(1_000);
    beat('b', { share: 2, ports: [9], demand: 1 });
  }
  await clock.advance(5_000);
  const asked = beat('b', { share: 2, ports: [9], demand: 1 });
  const left = [1, 2, 3].map((port) => session('at-a', port, startedUs));
  const listing = { asked: String(asked?.answers), sessions: left, ...none };
  const told = beat('b', { share: 2, ports: [9], demand: 1, listing });
  // Its floor of two is its own.
  expect(told?.terminate).toEqual([{ address: 'at-a', port: 3, startedUs: Number(startedUs) }]);
});

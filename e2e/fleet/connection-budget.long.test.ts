import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BudgetBed, budgetMetric } from './budget-bed.test-kit.ts';
import { eventually, noBedReason } from './cluster-bed.test-kit.ts';
import { type Call, type Load, startLoad } from './load.test-kit.ts';
import type { TestPod } from './pod.test-kit.ts';

/** Sessions on the server, while a fleet that wants more than its budget grows, is replaced and shrinks. */

const skipped = noBedReason();

const ask: Call = ({ holdfast }) => holdfast.database().query('select pg_sleep(0.03)');

/** A pod whose application calls. */
interface BusyPod {
  readonly pod: TestPod;
  readonly load: Load;
}

describe.skipIf(skipped !== undefined)(`a fleet${skipped ?? ''}`, () => {
  let bed: BudgetBed;
  const pods = new Set<BusyPod>();
  const failures: string[] = [];
  let calls = 0;
  let refusals = 0;
  beforeAll(async () => {
    bed = await BudgetBed.open({ total: 14, reserve: 2, floor: 1, leaseMs: 3_000 }, 30_000);
  }, 120_000);
  afterAll(async () => {
    for (const busy of pods) await take(busy);
    await bed?.close();
  }, 120_000);

  const add = async (): Promise<void> => {
    const pod = await bed.startPod();
    pods.add({ pod, load: startLoad([pod], { call: ask, callers: 4, pauseMs: 5 }) });
  };
  /** As Kubernetes does it: first the application ends, then the sidecar. */
  const take = async (busy: BusyPod): Promise<void> => {
    pods.delete(busy);
    await busy.load.stop();
    calls += busy.load.calls();
    failures.push(...busy.load.failures);
    refusals += await budgetMetric(busy.pod, 'refusals_total');
    await bed.removePod(busy.pod);
  };
  const many = async (count: number, each: () => Promise<void>): Promise<void> => {
    for (let left = count; left > 0; left -= 2) {
      await Promise.all(Array.from({ length: Math.min(2, left) }, each));
    }
  };

  test('2 pods, 12, all of them replaced, 2 again: no call fails, and the server refuses nothing', async () => {
    await many(2, add);
    await many(10, add);
    await eventually('the budget is used', async () => (await bed.sessions()) >= bed.room - 1);
    const before = [...pods];
    for (const old of before) {
      await add();
      await take(old);
    }
    const [, , ...surplus] = pods;
    for (const busy of surplus) await take(busy);
    await eventually('two pods use what all had', async () => {
      return (await bed.sessions()) >= 2 * 4 - 1;
    });
    for (const busy of pods) await take(busy);
    console.log(
      `${calls} calls, ${failures.length} failed; at most ${bed.most} of ${bed.room} sessions, ${bed.refused().length} refused`,
    );
    expect(failures).toEqual([]);
    expect(bed.refused()).toEqual([]);
    expect(refusals).toBe(0);
    expect(bed.most).toBeLessThanOrEqual(bed.room);
    expect(calls).toBeGreaterThan(1_000);
  }, 300_000);

  test('what idle pods had goes to those that have work, within 3 s', async () => {
    const [idle, busy] = [await bed.startPod(), await bed.startPod()];
    const wanted = { call: ask, callers: 3 * bed.room, pauseMs: 0 };
    const first = startLoad([idle], wanted);
    await eventually('one has nearly all', async () => {
      return (await budgetMetric(idle, 'sessions')) >= bed.room - 2;
    });
    await first.stop();
    const fromMs = performance.now();
    const second = startLoad([busy], wanted);
    await eventually(
      'the other has it',
      async () => (await budgetMetric(busy, 'sessions')) >= bed.room - 2,
      10_000,
    );
    const takenMs = Math.round(performance.now() - fromMs);
    console.log(`what was idle is used again after ${takenMs} ms`);
    await second.stop();
    await Promise.all([idle, busy].map((pod) => bed.removePod(pod)));
    // 3 s on a machine of one's own: two heartbeats, and sessions that are opened one after the other.
    expect(takenMs).toBeLessThan(5_000);
    expect([...first.failures, ...second.failures]).toEqual([]);
    expect(bed.refused()).toEqual([]);
  }, 120_000);
});

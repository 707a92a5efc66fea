import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BudgetBed, budgetMetric } from './budget-bed.test-kit.ts';
import { eventually, noBedReason } from './cluster-bed.test-kit.ts';
import { type Call, type Load, startLoad } from './load.test-kit.ts';
import type { TestPod } from './pod.test-kit.ts';

/** Sessions on the server, while controllers and sidecars are killed and stopped in the middle of long statements. */

const skipped = noBedReason();
/** Above the 10 s that a new leader needs. */
const leaseMs = 20_000;

describe.skipIf(skipped !== undefined)(`a fleet${skipped ?? ''}`, () => {
  let bed: BudgetBed;
  let pods: TestPod[] = [];
  beforeAll(async () => {
    bed = await BudgetBed.open({ total: 14, reserve: 2, floor: 1, leaseMs }, 90_000);
    await bed.cluster.startReplica('second');
    pods = await Promise.all(Array.from({ length: 4 }, () => bed.startPod()));
  }, 180_000);
  afterAll(async () => {
    await Promise.all(pods.map((pod) => pod.close()));
    await bed?.close();
  }, 60_000);

  const short: Call = ({ holdfast }) =>
    holdfast.database().query('select pg_sleep(0.05)', [], { deadlineMs: 120_000 });
  /** Longer than a lease. */
  const long: Call = ({ holdfast }) =>
    holdfast
      .database()
      .query(`select pg_sleep(${leaseMs / 1_000 + 2})`, [], { deadlineMs: 120_000 });
  const startLoads = (of: readonly TestPod[]): readonly [long: Load, short: Load] => [
    startLoad(of, { call: long }),
    startLoad(of, { call: short, callers: 6, pauseMs: 10 }),
  ];

  test('the controller killed twice, a sidecar stopped and one killed: nobody else notices, refusals are counted, room comes back', async () => {
    const [stopped, killed, ...others] = pods as [TestPod, TestPod, ...TestPod[]];
    const loads = startLoads(others);
    const inStopped = startLoads([stopped]);
    const inKilled = startLoads([killed]);
    await eventually(
      'the budget is used',
      async () => (await bed.sessions()) >= bed.room - 1,
      60_000,
    );

    const killLeader = async (next: string): Promise<void> => {
      const leader = await bed.cluster.leading();
      await leader.kill();
      await bed.cluster.startReplica(next);
    };
    await killLeader('third');
    await bed.cluster.leading();
    stopped.sidecar.process.kill('SIGSTOP');
    const lost = await budgetMetric(killed, 'refusals_total');
    await killed.kill();
    await killed.start();
    await sleep(3_000);
    await killLeader('fourth');
    await bed.cluster.leading();
    await sleep(leaseMs);
    stopped.sidecar.process.kill('SIGCONT');
    const wokenMs = performance.now();
    await eventually(
      'all room is used again',
      async () => (await bed.sessions()) >= bed.room - 1,
      3 * leaseMs,
    );
    const regainedMs = Math.round(performance.now() - wokenMs);

    await Promise.all([...loads, ...inStopped, ...inKilled].map((each) => each.stop()));
    const counts = await Promise.all(pods.map((pod) => budgetMetric(pod, 'refusals_total')));
    const counted = counts.reduce((sum, count) => sum + count, lost);
    const failures = (of: readonly Load[]): readonly string[] =>
      of.flatMap((each) => each.failures);
    const reasons = (of: readonly Load[]): readonly string[] => [
      ...new Set(failures(of).map((each) => each.split(' ')[3] ?? '')),
    ];
    const [, { calls, slowestMs }] = loads;
    console.log(
      `${calls()} short calls of others, the slowest ${slowestMs()} ms; at most ${bed.most} of ${bed.room} sessions; ${bed.refused().length} refused by the server, ${counted} counted; room regained after ${regainedMs} ms; stopped: ${failures(inStopped).length} failed (${reasons(inStopped).join()}), killed: ${failures(inKilled).length} failed (${reasons(inKilled).join()})`,
    );
    expect(failures(loads)).toEqual([]);
    expect(calls()).toBeGreaterThan(500);
    // What ran above its floor when it woke up was cut.
    expect(['CONNECTION_BUDGET', 'COMMIT_UNKNOWN']).toEqual(
      expect.arrayContaining([...reasons(inStopped)]),
    );
    expect(regainedMs).toBeLessThan(2 * leaseMs);
    expect(bed.most).toBeLessThanOrEqual(bed.room);
    expect(bed.refused()).toHaveLength(counted);
  }, 300_000);
});

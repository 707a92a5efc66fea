import { setTimeout as sleep } from 'node:timers/promises';
import { stringify } from 'yaml';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Permit } from '../../clients/typescript/index.ts';
import { redisUrl, testDatabase, type TestDatabase } from '../../scripts/servers/test-database.ts';
import {
  aPolicy,
  appNamespace,
  ClusterBed,
  conditionOf,
  eventually,
  noBedReason,
} from './cluster-bed.test-kit.ts';
import { startLoad } from './load.test-kit.ts';
import { TestPod } from './pod.test-kit.ts';

/** What `kubectl apply` says reaches the pods: ten sidecars, as processes, under the controller and a real API server. */

const skipped = noBedReason();
const podCount = 10;
const changes = 50;

const shop = (max: number) =>
  aPolicy('shop', {
    selector: { matchLabels: { app: 'shop' } },
    postgres: [{ name: 'default', secretRef: { name: 'orders' }, pool: { min: 1, max: 2 } }],
    redis: [{ name: 'default', secretRef: { name: 'cache' } }],
    targets: [{ kind: 'Guard', name: 'llm', concurrency: { max, queue: 0 } }],
  });

describe.skipIf(skipped !== undefined)(`a fleet${skipped ?? ''}`, () => {
  let database: TestDatabase;
  let bed: ClusterBed;
  let pods: TestPod[] = [];
  beforeAll(async () => {
    database = await testDatabase();
    bed = await ClusterBed.open();
    await bed.startReplica('a');
    const secrets = { 'orders/url': database.url, 'cache/url': redisUrl() };
    pods = await Promise.all(
      Array.from({ length: podCount }, (_, at) => TestPod.create(bed, `shop-${at}`, { secrets })),
    );
    await Promise.all(pods.map((pod) => pod.start()));
  }, 180_000);
  afterAll(async () => {
    await Promise.all(pods.map((pod) => pod.close()));
    await bed?.close();
    await database?.drop();
  });

  test(`${changes} changed limits are in force in ${podCount} pods, no call fails meanwhile, and the status says so`, async () => {
    await bed.kubectl(['apply', '--filename=-'], stringify(shop(2)));
    const inForce = (max: number) =>
      Promise.all(
        pods.map((pod) =>
          eventually(`${pod.name} has ${max}`, async () => (await pod.limitOf('llm')) === max),
        ),
      );
    await inForce(2);

    const load = startLoad(pods);
    const takenMs: number[] = [];
    for (let change = 1; change <= changes; change += 1) {
      const max = 2 + change;
      const fromMs = performance.now();
      await bed.apply(shop(max));
      await Promise.all(
        pods.map(async (pod) => {
          while ((await pod.limitOf('llm')) !== max) await sleep(5);
          takenMs.push(performance.now() - fromMs);
        }),
      );
      await sleep(20);
    }
    await load.stop();
    takenMs.sort((one, other) => one - other);
    const quantile = (share: number) =>
      Math.round(takenMs[Math.ceil(takenMs.length * share) - 1] ?? 0);
    console.log(
      `${changes} changes in ${podCount} pods: p50 ${quantile(0.5)} ms, p99 ${quantile(0.99)} ms, slowest ${quantile(1)} ms; ${load.calls()} calls, the slowest ${load.slowestMs()} ms`,
    );
    expect(load.failures).toEqual([]);
    expect(load.calls()).toBeGreaterThan(changes);
    // The figure for a machine of one's own is p99 < 1 s; ten sidecars, and other tests, share two cores here.
    expect(quantile(0.5)).toBeLessThan(1_000);
    expect(quantile(0.99)).toBeLessThan(5_000);

    const shown = await eventually('the status counts all pods', async () => {
      const policy = await bed.policy('shop');
      const { pods: counts, observedGeneration } = policy.status ?? {};
      return (
        counts?.programmed === podCount &&
        observedGeneration === policy.metadata.generation &&
        policy
      );
    });
    expect(shown.metadata.generation).toBe(changes + 1);
    expect(shown.status?.pods).toEqual({
      selected: podCount,
      connected: podCount,
      programmed: podCount,
      rejecting: 0,
      restartRequired: 0,
    });
    expect(conditionOf(shown, 'Programmed')).toMatchObject({
      status: 'True',
      reason: 'Programmed',
      observedGeneration: changes + 1,
    });
    const columns = await bed.kubectl(['get', 'resiliencepolicies', `--namespace=${appNamespace}`]);
    expect(columns).toMatch(/shop +.*True/);
  });

  test('a limit that kubectl applies binds in every pod', async () => {
    await bed.kubectl(
      ['apply', '--server-side', '--force-conflicts', '--filename=-'],
      stringify(shop(3)),
    );
    await Promise.all(
      pods.map(async (pod) => {
        await eventually('it is in force', async () => (await pod.limitOf('llm')) === 3);
        const guard = pod.holdfast.guard('llm');
        const permits: Permit[] = [];
        for (let count = 0; count < 3; count += 1) permits.push(await guard.enter());
        await expect(guard.enter()).rejects.toMatchObject({ reason: 'CONCURRENCY_LIMIT' });
        for (const permit of permits) await permit.exit('success');
      }),
    );
  });
});

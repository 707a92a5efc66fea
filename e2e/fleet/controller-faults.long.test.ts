import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { redisUrl, testDatabase, type TestDatabase } from '../../scripts/servers/test-database.ts';
import {
  aPolicy,
  ClusterBed,
  conditionOf,
  eventually,
  noBedReason,
} from './cluster-bed.test-kit.ts';
import { type Load, startLoad } from './load.test-kit.ts';
import { TestPod } from './pod.test-kit.ts';

/** Controllers and the API server are killed while calls flow. */

const skipped = noBedReason();

const shop = (max: number) =>
  aPolicy('shop', {
    selector: { matchLabels: { app: 'shop' } },
    postgres: [{ name: 'default', secretRef: { name: 'orders' }, pool: { min: 1, max: 2 } }],
    redis: [{ name: 'default', secretRef: { name: 'cache' } }],
    targets: [{ kind: 'Guard', name: 'llm', concurrency: { max } }],
  });

describe.skipIf(skipped !== undefined)(`a fleet${skipped ?? ''}`, () => {
  let database: TestDatabase;
  let bed: ClusterBed;
  let pods: TestPod[] = [];
  let load: Load | undefined;
  let made = 0;
  beforeAll(async () => {
    database = await testDatabase();
    bed = await ClusterBed.open();
    await bed.startReplica('first');
    const secrets = { 'orders/url': database.url, 'cache/url': redisUrl() };
    pods = await Promise.all(
      ['a', 'b', 'c'].map((name) => TestPod.create(bed, `shop-${name}`, { secrets })),
    );
    await Promise.all(pods.map((pod) => pod.start()));
    await bed.apply(shop(2));
    await inForce(2);
  }, 120_000);
  afterEach(async () => {
    await load?.stop();
    load = undefined;
  });
  afterAll(async () => {
    await Promise.all(pods.map((pod) => pod.close()));
    await bed?.close();
    await database?.drop();
  });

  const inForce = (max: number, of = pods): Promise<unknown> =>
    Promise.all(
      of.map((pod) =>
        eventually(
          `${pod.name} has ${max}`,
          async () => (await pod.limitOf('llm')) === max,
          30_000,
        ),
      ),
    );
  const startAnother = () => bed.startReplica(`again-${(made += 1)}`);
  /** What failed of the load, which ends. */
  const failures = async (): Promise<readonly string[]> => {
    await load?.stop();
    return (load?.calls() ?? 0) > 50 ? (load?.failures ?? []) : ['too few calls'];
  };
  /** Programmed, by the newest generation, in all pods. */
  const programmed = () =>
    eventually(
      'the status says so',
      async () => {
        const shown = await bed.policy('shop');
        return (
          shown.status?.observedGeneration === shown.metadata.generation &&
          conditionOf(shown, 'Programmed')?.reason === 'Programmed' &&
          shown.status.pods?.programmed === pods.length
        );
      },
      40_000,
    );

  test('without a controller calls flow, and a sidecar that starts meanwhile has its last good policy', async () => {
    load = startLoad(pods.slice(1));
    for (const replica of bed.replicas.values()) await replica.kill();
    await eventually('the pods know', async () => {
      const states = await Promise.all(pods.map((pod) => pod.inspect()));
      return states.every(({ controller }) => controller?.connectedTo === '');
    });
    const [restarted] = pods as [TestPod];
    await restarted.kill();
    await restarted.start();
    expect(await restarted.limitOf('llm')).toBe(2);
    await restarted.holdfast.database().query('select 1');
    await restarted.holdfast.redis().command('PING');
    await sleep(2_000);
    // What is said meanwhile is not lost.
    await bed.apply(shop(4));
    expect(await restarted.limitOf('llm')).toBe(2);
    await startAnother();
    await inForce(4);
    await programmed();
    expect(await failures()).toEqual([]);
  }, 120_000);

  test('a leader that is killed is replaced within 15 s, sidecars follow it, and changes go on', async () => {
    await bed.leading();
    await startAnother();
    const old = await bed.leading();
    load = startLoad(pods);
    const killedAtMs = performance.now();
    await old.kill();
    // The other replica serves policy, leader or not.
    await bed.apply(shop(5));
    await inForce(5);
    const policyMs = performance.now() - killedAtMs;
    const leader = await bed.leading();
    const replacedMs = performance.now() - killedAtMs;
    expect(leader.name).not.toBe(old.name);
    expect(replacedMs).toBeLessThan(15_000);
    await programmed();

    // Another one that does not lead sends whoever comes to it on to the leader.
    const second = await startAnother();
    bed.service.endpoints = [second.discoveryPort];
    const [moved] = pods as [TestPod];
    await moved.kill();
    await moved.start();
    await eventually('it follows the redirect', async () => {
      const { controller } = await moved.inspect();
      return controller?.connectedTo === `127.0.0.1:${leader.discoveryPort}`;
    });
    await bed.apply(shop(6));
    await inForce(6);
    await programmed();
    console.log(
      `leader killed: policy of the other replica in force after ${Math.round(policyMs)} ms, replaced after ${Math.round(replacedMs)} ms`,
    );
    // The sidecar that was killed here takes its calls along.
    expect((await failures()).filter((each) => !each.startsWith(moved.name))).toEqual([]);
  }, 120_000);

  test('an API server that is killed and comes back costs no call, and changes go on', async () => {
    load = startLoad(pods);
    await bed.plane.restartApiServer(3_000);
    await bed.leading(40_000);
    await bed.apply(shop(8));
    await inForce(8);
    await programmed();
    expect(await failures()).toEqual([]);
  }, 120_000);
});

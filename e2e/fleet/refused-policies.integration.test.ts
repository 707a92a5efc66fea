import { stringify } from 'yaml';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { testDatabase, type TestDatabase } from '../../scripts/servers/test-database.ts';
import {
  aPolicy,
  appNamespace,
  ClusterBed,
  conditionOf,
  eventually,
  noBedReason,
  policyPath,
  type ShownPolicy,
} from './cluster-bed.test-kit.ts';
import { startLoad } from './load.test-kit.ts';
import { TestPod } from './pod.test-kit.ts';

/** What the API server took and a sidecar refuses, and policies that are deleted. */

const skipped = noBedReason();

describe.skipIf(skipped !== undefined)(`a fleet${skipped ?? ''}`, () => {
  let database: TestDatabase;
  let bed: ClusterBed;
  let pods: TestPod[] = [];
  beforeAll(async () => {
    database = await testDatabase();
    bed = await ClusterBed.open();
    await bed.startReplica('a');
    const secrets = { 'orders/url': database.url };
    pods = [
      await TestPod.create(bed, 'shop-good', {
        secrets: { ...secrets, 'moved/url': database.url },
      }),
      await TestPod.create(bed, 'shop-bad', { secrets: { ...secrets, 'moved/url': 'mysql://db' } }),
    ];
    await Promise.all(pods.map((pod) => pod.start()));
  });
  afterAll(async () => {
    await Promise.all(pods.map((pod) => pod.close()));
    await bed?.close();
    await database?.drop();
  });
  afterEach(() =>
    bed?.kubectl(['delete', 'resiliencepolicies', '--all', `--namespace=${appNamespace}`]),
  );

  const shop = (secret: string, max: number) =>
    aPolicy('shop', {
      selector: { matchLabels: { app: 'shop' } },
      postgres: [{ name: 'default', secretRef: { name: secret }, pool: { min: 1, max: 2 } }],
      targets: [{ kind: 'Guard', name: 'llm', concurrency: { max } }],
    });
  const until = (name: string, type: string, reason: string): Promise<ShownPolicy> =>
    eventually(`${name} is ${type} ${reason}`, async () => {
      const shown = await bed.policy(name);
      const said = conditionOf(shown, type);
      return (
        said?.reason === reason &&
        said.observedGeneration === shown.metadata.generation &&
        shown.status?.observedGeneration === shown.metadata.generation &&
        shown
      );
    });
  const limits = () => Promise.all(pods.map((pod) => pod.limitOf('llm')));

  test('one that a pod refuses leaves the old one in force there, and Degraded names pod and field', async () => {
    await bed.kubectl(['apply', '--filename=-'], stringify(shop('orders', 5)));
    await until('shop', 'Programmed', 'Programmed');
    const load = startLoad(pods, { call: (pod) => pod.holdfast.database().query('select 1') });

    await bed.kubectl(['apply', '--filename=-'], stringify(shop('moved', 7)));
    const refused = await until('shop', 'Degraded', 'Refused');
    const message = conditionOf(refused, 'Degraded')?.message;
    expect(message).toContain('pod shop-bad refuses it: spec.postgres[0].secretRef');
    expect(message).not.toContain('mysql://');
    expect(refused.status).toMatchObject({
      pods: { selected: 2, connected: 2, programmed: 1, rejecting: 1 },
      rejections: [{ pod: 'shop-bad', reason: 'Refused' }],
    });
    expect(conditionOf(refused, 'Programmed')).toMatchObject({ status: 'False' });
    expect(await limits()).toEqual([7, 5]);
    const events = await bed.kubectl(['get', 'events', `--namespace=${appNamespace}`]);
    expect(events).toMatch(/Warning.*shop-bad/);

    // Whoever mends the secret need not touch the policy.
    pods[1]?.mount('moved/url', database.url);
    const mended = await until('shop', 'Programmed', 'Programmed');
    expect(mended.status).toMatchObject({ pods: { programmed: 2, rejecting: 0 } });
    expect(conditionOf(mended, 'Degraded')).toMatchObject({ status: 'False' });
    expect(await limits()).toEqual([7, 7]);
    await load.stop();
    expect(load.failures).toEqual([]);
    expect(load.calls()).toBeGreaterThan(20);
  });

  test('one that only together with another is wrong is refused by name, and both stay as they were', async () => {
    await bed.apply(
      aPolicy('pools', { postgres: [{ name: 'default', secretRef: { name: 'orders' } }] }),
    );
    await bed.apply(
      aPolicy('limits', {
        targets: [{ kind: 'Postgres', name: 'default', concurrency: { max: 9 } }],
      }),
    );
    await until('limits', 'Programmed', 'Programmed');
    // The other policy still names the pool.
    const other = { name: 'other', secretRef: { name: 'orders' } };
    await bed.apply(aPolicy('pools', { postgres: [other] }));
    const pools = await until('pools', 'Degraded', 'Refused');
    expect(conditionOf(pools, 'Degraded')?.message).toMatch(
      /pod shop-(good|bad) refuses it: refused together with the policy "limits": spec\.targets\[0\]\.name: .* \(and 1 more\)/,
    );
    expect(pools.status).toMatchObject({
      rejections: [{ reason: 'RefusedWithAnother' }, { reason: 'RefusedWithAnother' }],
    });
    // Its own generation is in force as before.
    expect(await until('limits', 'Programmed', 'Programmed')).toMatchObject({
      status: { pods: { programmed: 2, rejecting: 0 } },
    });
    for (const pod of pods) await pod.holdfast.database().query('select 1');
    await bed.apply(
      aPolicy('pools', {
        postgres: [other, { name: 'default', secretRef: { name: 'orders' } }],
      }),
    );
    await until('pools', 'Programmed', 'Programmed');
  });

  test('one that is deleted is in force nowhere, and what was made of it is gone', async () => {
    await bed.kubectl(['apply', '--filename=-'], stringify(shop('orders', 5)));
    await until('shop', 'Programmed', 'Programmed');
    const made = () =>
      bed.kubectl(['get', 'configmaps', `--namespace=${appNamespace}`, '--output=name']);
    await eventually('its objects are made', async () => {
      const all = await made();
      return ['shop-rules', 'shop-dashboards'].every((each) => all.includes(`holdfast-${each}`));
    });
    await bed.must('DELETE', policyPath('shop'));
    await eventually('nothing limits the pods', async () =>
      (await limits()).every((limit) => limit === 0),
    );
    for (const { holdfast } of pods) {
      await expect(holdfast.guard('llm').enter()).rejects.toMatchObject({
        reason: 'UNKNOWN_TARGET',
      });
    }
    await eventually(
      'what it owned is gone',
      async () => !(await made()).includes('holdfast-shop'),
    );
  });
});

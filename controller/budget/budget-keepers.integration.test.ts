import { Registry } from 'prom-client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { budgetDefinition } from '../../crds/budget-definition.ts';
import type { ConnectionBudget } from '../../crds/connection-budget.ts';
import { noClusterReason } from '../../e2e/cluster/test-cluster.ts';
import { systemClock } from '../../platform/clock.ts';
import { makeLogger } from '../../platform/logger.ts';
import { apiServer, eventually, type ApiServer } from '../kube/api-server.test-kit.ts';
import { listWatch } from '../kube/list-watch.ts';
import { objectsOf } from '../kube/objects.ts';
import { pathOf, resources } from '../kube/resource.ts';
import { watchCache } from '../kube/watch.ts';
import { silentHeartbeat } from './budget-keepers.test-kit.ts';
import type { BudgetKeepers } from './budget-keepers.ts';
import { startBudgets } from './start-budgets.ts';

const skipped = noClusterReason();
const namespace = 'budget-keepers';
const name = 'budget-keepers-orders';

describe.skipIf(skipped !== undefined)(`a real API server${skipped ?? ''}`, () => {
  let server: ApiServer;
  const ends: (() => unknown)[] = [];
  beforeAll(async () => {
    server = await apiServer(namespace);
    await server.cluster.api.establish(budgetDefinition());
    await server.create(pathOf(resources.budgets), {
      apiVersion: 'resilience.holdfast.dev/v1alpha1',
      kind: 'ConnectionBudget',
      metadata: { name },
      spec: { total: 20, floor: 2, leaseMs: 2_000, namespaces: { names: [namespace] } },
    });
  });
  afterAll(async () => {
    for (const end of ends) await end();
    await server.api.call({ method: 'DELETE', path: pathOf(resources.budgets, { name }) });
    await server.stop();
  });

  const stored = (): Promise<ConnectionBudget> =>
    server.api.call({ method: 'GET', path: pathOf(resources.budgets, { name }) });

  /** As one replica has it, with its own caches. */
  async function replica(lease: { isHeld: boolean }): Promise<BudgetKeepers> {
    const objects = objectsOf(server.api);
    const open = (kind: (typeof resources)['budgets']) => {
      const cache = watchCache({
        source: listWatch(server.api, kind),
        clock: systemClock,
        random: () => 0.5,
        onFault: () => {},
      });
      ends.push(() => cache.stop());
      return cache;
    };
    const [budgets, pods] = [open(resources.budgets), open(resources.pods)];
    await Promise.all([budgets.synced, pods.synced]);
    const keepers = startBudgets({
      clock: systemClock,
      log: makeLogger('silent', 'test'),
      registry: new Registry(),
      objects: {
        get: (name, signal) => objects.get(resources.budgets, { name }, signal),
        replaceStatus: (budget, signal) => objects.replaceStatus(budget, signal),
      },
      budgets,
      pods,
      namespaceLabels: () => ({}),
      isLeading: () => lease.isHeld,
    });
    ends.push(() => keepers.follow());
    keepers.lead();
    return keepers;
  }

  let number = 0;
  const beat = (keepers: BudgetKeepers, podUid: string, demand: number) => {
    number += 1;
    const pod = { namespace, podName: `name-${podUid}`, podUid };
    const heartbeat = { ...silentHeartbeat, budget: name, number: String(number), demand };
    return keepers.onHeartbeat({ pod, boot: '1' }, heartbeat);
  };

  test('the ledger goes from leader to leader by compare-and-swap, and a changed spec is no other leader', async () => {
    const lease = { isHeld: true };
    const first = await replica(lease);
    await eventually(() => beat(first, 'a', 5) !== undefined);
    await eventually(() => beat(first, 'a', 5)?.share === 5);
    const before = await stored();
    expect(before.status?.ledger?.entries).toEqual([
      { pod: 'a', name: 'name-a', namespace, address: '', boot: 1, floor: 2 },
    ]);

    // As kubectl does: the resourceVersion of the keeper is old now.
    await server.api.call({
      method: 'PATCH',
      path: pathOf(resources.budgets, { name }),
      contentType: 'application/merge-patch+json',
      body: { spec: { ceiling: 3 } },
    });
    await eventually(() => beat(first, 'a', 5)?.share === 3);
    await eventually(() => beat(first, 'b', 1) !== undefined);
    await eventually(async () => (await stored()).status?.observedGeneration === 2);
    const epoch = (await stored()).status?.ledger?.epoch ?? 0;
    expect(epoch).toBe(before.status?.ledger?.epoch);

    lease.isHeld = false;
    const second = await replica({ isHeld: true });
    await eventually(() => beat(second, 'a', 5) !== undefined);
    expect((await stored()).status?.ledger?.epoch).toBeGreaterThan(epoch);
    // The first wakes up and believes that it leads.
    lease.isHeld = true;
    beat(first, 'c', 1);
    await eventually(() => first.views().size === 0);
    expect(beat(first, 'a', 1)).toBeUndefined();
    first.follow();
    second.follow();
  });

  test('a status that says the same is not written again', async () => {
    const steady = await replica({ isHeld: true });
    const versions: unknown[] = [];
    for (let round = 0; round < 8; round += 1) {
      beat(steady, 'a', 1);
      await systemClock.sleep(500);
      versions.push((await stored()).metadata.resourceVersion);
    }
    expect(new Set(versions.slice(-4)).size).toBe(1);
  });
});

import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  budgetObject,
  guardSpec,
  namespaceObject,
  podObject,
  policyObject,
  poolSpec,
  TestCluster,
} from './cluster.test-kit.ts';
import { EffectivePolicies, type PolicyChange } from './effective-policies.ts';
import type { StoredObject } from './stored-object.ts';

const namesOn = (effective: EffectivePolicies, pod: string): string[] | undefined =>
  effective.snapshotOf(`uid-${pod}`)?.policies.map(({ name }) => name);

function clusterOf(...policies: readonly StoredObject[]) {
  const cluster = new TestCluster();
  for (const policy of policies) cluster.policies.put(policy);
  cluster.pods.put(podObject('orders-1', { app: 'orders' }));
  return { cluster, effective: new EffectivePolicies(cluster) };
}

const withBudget = (name: string): object => poolSpec('default', { budgetRef: { name } });
const accepted = (observedGeneration: number) => ({
  conditions: [
    {
      type: 'Accepted',
      status: 'True' as const,
      observedGeneration,
      lastTransitionTime: '2026-01-31T12:00:00Z',
      reason: 'Accepted',
      message: '',
    },
  ],
});

test('a pod has the policies of its namespace that select it, by name', () => {
  const { effective } = clusterOf(
    policyObject('z', guardSpec('z')),
    policyObject('a', guardSpec('a'), { selector: { app: 'orders' } }),
    policyObject('m', { mode: 'Shadow', ...guardSpec('a') }),
    policyObject('other', guardSpec('o'), { selector: { app: 'other' } }),
    policyObject('elsewhere', guardSpec('e'), { namespace: 'elsewhere' }),
  );
  expect(namesOn(effective, 'orders-1')).toEqual(['a', 'm', 'z']);
});

test('a snapshot has manifests as the API server stores them, whatever the order of their fields', () => {
  const { effective } = clusterOf(policyObject('a', { mode: 'Enforce', ...guardSpec('x') }));
  expect(effective.snapshotOf('uid-orders-1')).toEqual({
    version: createHash('sha256')
      .update(
        JSON.stringify([
          [
            'shop',
            'a',
            'uid-a',
            1,
            '{"apiVersion":"resilience.holdfast.dev/v1alpha1","kind":"ResiliencePolicy","metadata":{"name":"a","namespace":"shop"},"spec":{"mode":"Enforce","targets":[{"kind":"Guard","name":"x"}]}}',
          ],
        ]),
      )
      .digest('hex'),
    policies: [expect.objectContaining({ namespace: 'shop', name: 'a', uid: 'uid-a' })],
  });
  const other = clusterOf(policyObject('a', { ...guardSpec('x'), mode: 'Enforce' }));
  expect(other.effective.snapshotOf('uid-orders-1')).toEqual(effective.snapshotOf('uid-orders-1'));
});

test('nothing is said of a pod that is not known, or before everything has been listed', () => {
  const { cluster, effective } = clusterOf(policyObject('a', guardSpec('x')));
  expect(effective.snapshotOf('uid-stranger')).toBeUndefined();
  cluster.synced = false;
  expect(effective.snapshotOf('uid-orders-1')).toBeUndefined();
});

test('the younger of two in conflict is kept away from the pods of both, and from no other', () => {
  const { cluster, effective } = clusterOf(
    policyObject('old', poolSpec(), { selector: { app: 'orders' } }),
    policyObject('new', poolSpec(), { bornAt: 1 }),
  );
  cluster.pods.put(podObject('web-1', { app: 'web' }));
  expect(namesOn(effective, 'orders-1')).toEqual(['old']);
  expect(namesOn(effective, 'web-1')).toEqual(['new']);
  cluster.policies.remove('shop/old');
  expect(namesOn(effective, 'orders-1')).toEqual(['new']);
});

test('a policy that is not valid is in force nowhere', () => {
  const { effective } = clusterOf(policyObject('a', { mode: 'Maybe' }));
  expect(namesOn(effective, 'orders-1')).toEqual([]);
  expect(effective.policies('shop').verdict('uid-a').refusal).toEqual({
    reason: 'Invalid',
    message: 'spec.mode must be Enforce or Shadow',
  });
});

test('a field of a later release is passed on, and makes nothing invalid', () => {
  const { effective } = clusterOf(policyObject('a', { ...guardSpec('x'), quotas: { max: 1 } }));
  const [policy] = effective.snapshotOf('uid-orders-1')?.policies ?? [];
  expect(policy?.manifest).toContain('"quotas":{"max":1}');
});

test('a policy waits for its budget, and for the budget to allow its namespace', () => {
  const { cluster, effective } = clusterOf(policyObject('a', withBudget('db')));
  const problem = () => effective.policies('shop').verdict('uid-a').refusal;
  expect(problem()).toEqual({
    reason: 'BudgetMissing',
    message: 'spec.postgres[0].budgetRef names the ConnectionBudget "db", which does not exist',
  });
  cluster.budgets.put(budgetObject('db', { selector: { matchLabels: { team: 'shop' } } }));
  expect(problem()?.reason).toBe('BudgetNotAllowed');
  expect(namesOn(effective, 'orders-1')).toEqual([]);
  cluster.namespaces.put(namespaceObject('shop', { team: 'shop' }));
  expect(problem()).toBeUndefined();
  expect(namesOn(effective, 'orders-1')).toEqual(['a']);
  cluster.budgets.put(budgetObject('db', { names: ['other'] }, 2));
  expect(problem()?.reason).toBe('BudgetNotAllowed');
});

test('a policy whose budget goes away stays in force: taking its pools away would make it worse', () => {
  const { cluster, effective } = clusterOf(
    policyObject('a', withBudget('db'), { status: accepted(1) }),
  );
  cluster.budgets.put(budgetObject('db', { names: ['shop'] }));
  cluster.budgets.remove('db');
  expect(namesOn(effective, 'orders-1')).toEqual(['a']);
  expect(effective.policies('shop').verdict('uid-a').complaint?.reason).toBe('BudgetMissing');
  // A newer generation has never been accepted.
  cluster.policies.put(
    policyObject('a', withBudget('typo'), { status: accepted(1), generation: 2 }),
  );
  expect(namesOn(effective, 'orders-1')).toEqual([]);
});

test('an acknowledged version can be looked into after the policies have changed', () => {
  const { cluster, effective } = clusterOf(
    policyObject('a', guardSpec('x')),
    policyObject('b', guardSpec('y')),
  );
  const before = effective.snapshotOf('uid-orders-1')?.version ?? '';
  cluster.policies.put(policyObject('b', guardSpec('z'), { generation: 2 }));
  const after = effective.snapshotOf('uid-orders-1')?.version ?? '';
  expect(after).not.toBe(before);
  expect(effective.generations(before)?.get('uid-b')).toBe(1);
  expect(effective.generations(after)?.get('uid-b')).toBe(2);
  expect(effective.generations('unknown')).toBeUndefined();
});

test('it tells what may be otherwise, and keeps quiet about statuses', () => {
  const { cluster, effective } = clusterOf(
    policyObject('a', withBudget('db'), { selector: { app: 'orders' } }),
  );
  cluster.budgets.put(budgetObject('db', { names: ['shop'] }));
  const told: PolicyChange[] = [];
  const end = effective.onChange((change) => told.push(change));
  const changes = (): PolicyChange[] => told.splice(0);
  effective.policies('shop');

  cluster.policies.put(
    policyObject('a', withBudget('db'), { selector: { app: 'orders' }, status: accepted(1) }),
  );
  cluster.budgets.put({ ...budgetObject('db', { names: ['shop'] }), status: { free: 1 } });
  cluster.pods.put(podObject('orders-1', { app: 'orders' }));
  expect(changes()).toEqual([]);

  const pod = { kind: 'pod', namespace: 'shop', podUid: 'uid-orders-1' };
  cluster.pods.put(podObject('orders-1', { app: 'web' }));
  expect(changes()).toEqual([{ ...pod, policies: ['a'] }]);
  cluster.pods.put(podObject('orders-1', { app: 'orders' }));
  cluster.pods.remove('shop/orders-1');
  expect(changes()).toEqual([
    { ...pod, policies: ['a'] },
    { ...pod, policies: ['a'] },
  ]);
  cluster.policies.remove('shop/a');
  expect(changes()).toEqual([{ kind: 'policies', namespace: 'shop' }]);
  end();
  cluster.policies.put(policyObject('a', {}));
  expect(changes()).toEqual([]);
});

test('a pod that has the name of one before it is another pod', () => {
  const { cluster, effective } = clusterOf(policyObject('a', {}));
  cluster.pods.put({
    ...podObject('orders-1'),
    metadata: { ...podObject('orders-1').metadata, uid: 'second' },
  });
  expect(effective.snapshotOf('uid-orders-1')).toBeUndefined();
  expect(effective.snapshotOf('second')).toBeDefined();
});

test('a pod that has ended for good is selected by nobody, and still served', () => {
  const { cluster, effective } = clusterOf(policyObject('a', {}));
  const entry = effective.policies('shop').entry('a');
  const selected = () => entry && effective.selectedBy(entry).map(({ pod }) => pod.name);
  expect(selected()).toEqual(['orders-1']);
  cluster.pods.put(podObject('orders-1', { app: 'orders' }, { phase: 'Succeeded' }));
  expect(selected()).toEqual([]);
  expect(namesOn(effective, 'orders-1')).toEqual(['a']);
});

const step = fc.oneof(
  fc.record({
    put: fc.constantFrom('a', 'b', 'c', 'd'),
    selector: fc.dictionary(fc.constantFrom('app', 'tier'), fc.constantFrom('a', 'b')),
    target: fc.constantFrom('x', 'y'),
    budget: fc.constantFrom('', 'db'),
  }),
  fc.record({ remove: fc.constantFrom('a', 'b', 'c', 'd') }),
  fc.record({
    pod: fc.constantFrom('p', 'q'),
    labels: fc.dictionary(fc.constantFrom('app', 'tier'), fc.constantFrom('a', 'b')),
  }),
  fc.record({ allowed: fc.boolean() }),
);

test('whatever happened before, a replica that has just started comes to the same snapshots', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 25 }), (steps) => {
      const { cluster, effective } = clusterOf();
      let generation = 0;
      for (const each of steps) {
        generation += 1;
        if ('put' in each) {
          const { put, selector, target, budget } = each;
          const spec = { ...guardSpec(target), ...(budget && withBudget(budget)) };
          // The age of a policy does not follow from its name.
          const bornAt = { a: 2, b: 1, c: 2, d: 0 }[put];
          cluster.policies.put(policyObject(put, spec, { selector, generation, bornAt }));
        } else if ('remove' in each) cluster.policies.remove(`shop/${each.remove}`);
        else if ('pod' in each) cluster.pods.put(podObject(each.pod, each.labels));
        else {
          const names = each.allowed ? ['shop'] : ['other'];
          cluster.budgets.put(budgetObject('db', { names }, generation));
        }
        // Reading in between must not make it remember.
        effective.snapshotOf('uid-p');
        for (const entry of effective.policies('shop').entries) effective.selectedBy(entry);
      }
      const fresh = new EffectivePolicies(cluster);
      for (const pod of ['uid-p', 'uid-q', 'uid-orders-1']) {
        expect(effective.snapshotOf(pod)).toEqual(fresh.snapshotOf(pod));
      }
      for (const entry of fresh.policies('shop').entries) {
        const own = effective.policies('shop').entry(entry.name) ?? entry;
        expect(effective.selectedBy(own)).toEqual(fresh.selectedBy(entry));
      }
    }),
    { numRuns: 300 },
  );
});

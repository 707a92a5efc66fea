import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { badBudgets, budget, goodBudgets, longestEntry } from '../crds/bad-budgets.test-kit.ts';
import { budgetDefinition } from '../crds/budget-definition.ts';
import { mostLedgerEntries } from '../crds/budget-status.ts';
import { budgetRules, namespacesRules } from '../crds/connection-budget.ts';
import { noClusterReason, type TestCluster, testCluster } from './cluster/test-cluster.ts';
import { dryRun } from './policy-dry-run.ts';

const skipped = noClusterReason();
const path = '/apis/resilience.holdfast.dev/v1alpha1/connectionbudgets';

describe.skipIf(skipped !== undefined)(`a real API server${skipped ?? ''}`, () => {
  let cluster: TestCluster;
  beforeAll(async () => {
    cluster = await testCluster();
    await cluster.api.establish(budgetDefinition());
  });
  afterAll(() => cluster?.stop());

  const refusals: string[] = [];

  test.each(badBudgets)('refuses $field: $title', async ({ manifest, field }) => {
    const { fields, messages } = await dryRun(cluster.api, manifest, 'connectionbudgets');
    refusals.push(...messages);
    expect(fields).toEqual([field]);
  });

  test('has refused something by every rule', () => {
    const rules = [...budgetRules, ...namespacesRules].map(({ cel }) => cel.message);
    expect(rules.filter((rule) => !refusals.some((refusal) => refusal.includes(rule)))).toEqual([]);
  });

  test.each(goodBudgets)('fills in the defaults of %s', async (_title, given, spec) => {
    const { messages, stored } = await dryRun(cluster.api, budget(given), 'connectionbudgets');
    expect(messages).toEqual([]);
    expect(stored?.['spec']).toEqual(spec);
  });

  describe('of a budget that is there', () => {
    const name = 'holdfast-test';
    beforeAll(async () => {
      const body = { ...budget({ total: 100, namespaces: { selector: {} } }), metadata: { name } };
      await cluster.api.call('POST', path, { body });
    });
    afterAll(() => cluster.api.call('DELETE', `${path}/${name}`));

    const setStatus = async (status: object) =>
      cluster.api.call('PATCH', `${path}/${name}/status?fieldValidation=Strict`, {
        body: { status },
        contentType: 'application/merge-patch+json',
      });

    test('shows what it is and how it stands in a table', async () => {
      const condition = (type: string, status: string) => ({
        type,
        status,
        lastTransitionTime: '2026-01-31T12:00:00Z',
        reason: 'Test',
        message: 'as the test says',
      });
      const conditions = [condition('Ready', 'True'), condition('HardLimit', 'False')];
      const { status } = await setStatus({
        conditions,
        pods: 3,
        sessions: 12,
        foreign: 1,
        free: -2,
      });
      expect(status).toBe(200);
      const accept = 'application/json;as=Table;g=meta.k8s.io;v=v1';
      const { body } = await cluster.api.call('GET', `${path}/${name}`, { accept });
      const { rows } = body as unknown as { rows: { cells: unknown[] }[] };
      expect(rows[0]?.cells.slice(0, 8)).toEqual([name, 100, 0, 3, 12, -2, 'True', 'False']);
    });

    test('takes the largest ledger that there can be, and none that is larger', async () => {
      const ledger = (length: number) => ({
        ledger: {
          version: 1,
          epoch: 1,
          entries: Array.from({ length }, (_, index) => longestEntry(index)),
        },
      });
      expect((await setStatus(ledger(mostLedgerEntries))).status).toBe(200);
      expect((await setStatus(ledger(mostLedgerEntries + 1))).status).toBe(422);
    });
  });
});

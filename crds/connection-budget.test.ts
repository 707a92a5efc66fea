import { expect, test } from 'vitest';
import { badBudgets, budget, goodBudgets, longestEntry } from './bad-budgets.test-kit.ts';
import { mostLedgerEntries } from './budget-status.ts';
import { allows, type BudgetSpec, parseBudget } from './connection-budget.ts';
import { pathText } from './schema-faults.ts';

// What a real API server says of them: e2e/budget-contract.integration.test.ts.
test.each(badBudgets)('the parser refuses $field: $title', ({ manifest, field }) => {
  const parsed = parseBudget(manifest);
  const faults = 'faults' in parsed ? parsed.faults : [];
  expect([...new Set(faults.map(({ path }) => pathText(path)))]).toEqual([field]);
});

test.each(goodBudgets)('the parser fills in the defaults of %s', (_title, given, spec) => {
  expect(parseBudget(budget(given))).toMatchObject({ budget: { spec } });
});

test('a budget of a later version, with a field more, is still one', () => {
  const later = budget({ total: 1, namespaces: { names: ['a'] }, colour: 'red' });
  expect(parseBudget(later)).toHaveProperty('budget');
});

test.each([
  ['by name', { names: ['shop'] }, true],
  ['by another name', { names: ['other'] }, false],
  ['by its labels', { names: [], selector: { matchLabels: { team: 'a' } } }, true],
  ['by labels of which it lacks one', { selector: { matchLabels: { team: 'a', x: 'y' } } }, false],
  ['by no label at all', { selector: {} }, true],
])('a namespace may use a budget that allows it %s: %o', (_title, namespaces, may) => {
  const parsed = parseBudget(budget({ total: 1, namespaces }));
  const spec = 'budget' in parsed ? parsed.budget.spec : ({} as BudgetSpec);
  expect(allows(spec, { name: 'shop', labels: { team: 'a' } })).toBe(may);
});

test('the largest ledger that the schema takes is one that etcd takes', () => {
  const entries = Array.from({ length: mostLedgerEntries }, (_, index) => longestEntry(index));
  const ledger = { version: 2_000_000_000, epoch: 2_000_000_000, entries };
  expect(parseBudget({ ...budget(goodBudgets[0]?.[1]), status: { ledger } })).toHaveProperty(
    'budget',
  );
  // What conditions and managedFields take is less than 64 KiB.
  expect(JSON.stringify(ledger).length).toBeLessThan(1_536 * 1_024 - 64 * 1_024);
});

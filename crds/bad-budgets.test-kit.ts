import { budgetKind } from './connection-budget.ts';
import { apiVersion } from './resilience-policy.ts';

/** One thing wrong, and the field that parser and API server name. */
export interface BadBudget {
  readonly title: string;
  readonly field: string;
  readonly manifest: object;
}

/** A budget that any namespace may use. */
export const budget = (spec: unknown): object => ({
  apiVersion,
  kind: budgetKind,
  metadata: { name: 'orders' },
  spec,
});

const namespaces = { names: ['shop'] };
const bad = (title: string, field: string, fields: object): BadBudget => ({
  title,
  field,
  manifest: budget({ total: 100, namespaces, ...fields }),
});

/** Budgets with one thing wrong each. */
export const badBudgets: readonly BadBudget[] = [
  { title: 'no spec', field: 'spec', manifest: budget(undefined) },
  { title: 'no total', field: 'spec.total', manifest: budget({ namespaces }) },
  { title: 'nobody to use it', field: 'spec.namespaces', manifest: budget({ total: 100 }) },
  bad('more than PostgreSQL can have', 'spec.total', { total: 262_144 }),
  bad('half a session', 'spec.total', { total: 1.5 }),
  bad('a total in words', 'spec.total', { total: 'many' }),
  bad('all of it in reserve', 'spec.reserve', { reserve: 100 }),
  bad('a debt', 'spec.reserve', { reserve: -1 }),
  bad('a floor above the ceiling', 'spec.floor', { floor: 11, ceiling: 10 }),
  bad('a ceiling of nothing', 'spec.ceiling', { ceiling: 0, floor: 0 }),
  bad('a lease that no heartbeat can keep', 'spec.leaseMs', { leaseMs: 1_000 }),
  bad('a lease of minutes', 'spec.leaseMs', { leaseMs: 61_000 }),
  bad('no namespaces', 'spec.namespaces.names', { namespaces: {} }),
  bad('an empty list of namespaces', 'spec.namespaces.names', { namespaces: { names: [] } }),
  bad('namespaces in a text', 'spec.namespaces.names', { namespaces: { names: 'shop' } }),
  bad('a namespace with a dot', 'spec.namespaces.names[0]', { namespaces: { names: ['a.b'] } }),
  bad('a label that is none', 'spec.namespaces.selector.matchLabels.team', {
    namespaces: { selector: { matchLabels: { team: '-' } } },
  }),
];

/** Good budgets, and what the defaults make of them. */
export const goodBudgets: readonly (readonly [title: string, given: object, spec: object])[] = [
  [
    'the least',
    { total: 1, namespaces },
    { total: 1, reserve: 0, floor: 1, ceiling: 1_000, leaseMs: 10_000, namespaces },
  ],
  [
    'every field',
    {
      total: 200,
      reserve: 20,
      floor: 2,
      ceiling: 40,
      leaseMs: 5_000,
      namespaces: { names: ['a'], selector: { matchLabels: { team: 'shop' } } },
    },
    {
      total: 200,
      reserve: 20,
      floor: 2,
      ceiling: 40,
      leaseMs: 5_000,
      namespaces: { names: ['a'], selector: { matchLabels: { team: 'shop' } } },
    },
  ],
  [
    'for every namespace',
    { total: 100, namespaces: { selector: {} } },
    {
      total: 100,
      reserve: 0,
      floor: 1,
      ceiling: 1_000,
      leaseMs: 10_000,
      namespaces: { names: [], selector: { matchLabels: {} } },
    },
  ],
];

/** A ledger entry of the longest texts and numbers. */
export const longestEntry = (index: number): object => ({
  pod: String(index).padStart(36, 'f'),
  name: 'n'.repeat(56),
  namespace: 's'.repeat(63),
  address: String(index).padStart(45, '0'),
  boot: Number.MAX_SAFE_INTEGER,
  floor: 1_000,
  former: true,
});

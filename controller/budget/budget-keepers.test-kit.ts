import { Registry } from 'prom-client';
import type { BudgetStatus } from '../../crds/budget-status.ts';
import { allows, parseBudget, type ConnectionBudget } from '../../crds/connection-budget.ts';
import type { Grant } from '../../platform/gen/holdfast/control/v1/Grant.ts';
import type { Heartbeat__Output } from '../../platform/gen/holdfast/control/v1/Heartbeat.ts';
import { makeLogger } from '../../platform/logger.ts';
import { TestClock } from '../../platform/test-clock.ts';
import { BudgetKeepers } from './budget-keepers.ts';
import { budgetMetrics } from './budget-metrics.ts';
import type { BudgetStore } from './budget-ports.ts';

/** A budget of 40 sessions for namespace `shop`, unless told. */
export function budgetOf(spec: object = {}, metadata: object = {}): ConnectionBudget {
  const parsed = parseBudget({
    apiVersion: 'resilience.holdfast.dev/v1alpha1',
    kind: 'ConnectionBudget',
    metadata: { name: 'orders', uid: 'one', resourceVersion: '1', generation: 1, ...metadata },
    spec: { total: 40, floor: 2, namespaces: { names: ['shop'] }, ...spec },
  });
  if ('faults' in parsed) throw new Error(JSON.stringify(parsed.faults));
  return parsed.budget;
}

/** One budget behind compare-and-swap, as the API server has it. */
export class MemoryStore implements BudgetStore {
  budget: ConnectionBudget | undefined;
  writes = 0;
  /** What happens to the next write: it is kept but fails, or fails. */
  next: 'lose the answer' | 'fail' | undefined;
  /** Happens while the next write is under way. */
  duringNext: (() => unknown) | undefined;

  constructor(budget: ConnectionBudget) {
    this.budget = budget;
  }

  /** As somebody else would: every write is another resourceVersion. */
  change(part: { spec?: object; status?: BudgetStatus; metadata?: object }): ConnectionBudget {
    if (this.budget === undefined) throw new Error('there is no budget');
    const { metadata, spec, status } = this.budget;
    this.writes += 1;
    this.budget = {
      ...this.budget,
      metadata: { ...metadata, ...part.metadata, resourceVersion: String(this.writes + 1) },
      spec: { ...spec, ...part.spec },
      status: part.status ?? status,
    };
    return this.budget;
  }

  read(): Promise<ConnectionBudget | undefined> {
    return Promise.resolve(this.budget);
  }

  writeStatus(
    { metadata }: ConnectionBudget,
    status: BudgetStatus,
  ): Promise<ConnectionBudget | undefined> {
    const { next, duringNext } = this;
    this.next = undefined;
    this.duringNext = undefined;
    duringNext?.();
    if (next === 'fail') return Promise.reject(new Error('the API server is away'));
    if (this.budget?.metadata.resourceVersion !== metadata.resourceVersion) {
      return Promise.resolve(undefined);
    }
    const written = this.change({ status });
    if (next === 'lose the answer') return Promise.reject(new Error('the connection was cut'));
    return Promise.resolve(written);
  }
}

export const ledgerIn = ({ budget }: MemoryStore): NonNullable<BudgetStatus['ledger']> => {
  const ledger = budget?.status?.ledger;
  if (ledger === undefined) throw new Error('there is no ledger');
  return ledger;
};

export const conditionIn = ({ budget }: MemoryStore, type: string) =>
  budget?.status?.conditions?.find((condition) => condition.type === type);

/** A heartbeat that says nothing. */
export const silentHeartbeat: Heartbeat__Output = {
  budget: 'orders',
  number: '0',
  epoch: '0',
  answered: '0',
  share: 0,
  demand: 0,
  ports: [],
  address: '',
  leaving: false,
  listing: null,
  waiting: 0,
  oldestWaitMs: 0,
  refusals: '0',
};

/** A replica of the controller with one budget, and heartbeats of sidecars in namespace `shop`. */
export function replica(store: MemoryStore, clock = new TestClock()) {
  const registry = new Registry();
  const lease = { isHeld: true };
  const gone = new Set<string>();
  const keepers: BudgetKeepers = new BudgetKeepers({
    clock,
    log: makeLogger('silent', 'test'),
    metrics: budgetMetrics(registry, () => keepers.views()),
    store,
    isLeading: () => lease.isHeld,
    mayUse: ({ spec }, namespace) => allows(spec, { name: namespace, labels: {} }),
    podIsGone: (pod) => gone.has(pod),
    podIp: (pod) => `at-${pod}`,
  });
  if (store.budget !== undefined) keepers.budgetChanged('orders', store.budget);
  let number = 0;
  const beat = (
    podUid: string,
    more: Partial<Heartbeat__Output> & { boot?: string; namespace?: string } = {},
  ): Grant | undefined => {
    const { boot = '1', namespace = 'shop', ...said } = more;
    number += 1;
    const pod = { namespace, podName: `name-${podUid}`, podUid };
    const heartbeat = { ...silentHeartbeat, number: String(number), ...said };
    return keepers.onHeartbeat({ pod, boot }, heartbeat);
  };
  /** It leads, and some pods are in the ledger. */
  const opened = async (...pods: string[]): Promise<void> => {
    keepers.lead();
    await clock.advance(600);
    for (const pod of pods) beat(pod, { demand: 1 });
    await clock.advance(600);
  };
  return { clock, registry, lease, gone, keepers, beat, opened };
}

import type { Registry } from 'prom-client';
import { allows } from '../../crds/connection-budget.ts';
import type { Clock } from '../../platform/clock.ts';
import type { Logger } from '../../platform/logger.ts';
import { BudgetKeepers } from './budget-keepers.ts';
import { budgetMetrics } from './budget-metrics.ts';
import { type BudgetObjects, budgetOf, budgetStore } from './budget-store.ts';
import { RunningPods } from './running-pods.ts';
import type { Watched } from './watched.ts';

export interface BudgetsParts {
  readonly clock: Clock;
  readonly log: Logger;
  readonly registry: Registry;
  readonly objects: BudgetObjects;
  readonly budgets: Watched;
  /** Those that asked for a sidecar. */
  readonly pods: Watched & { readonly isSynced: boolean };
  readonly namespaceLabels: (namespace: string) => Readonly<Record<string, string>>;
  readonly isLeading: () => boolean;
}

/** Follows all budgets of the cluster; `lead` and `follow` of the result say when they are to be kept. */
export function startBudgets(parts: BudgetsParts): BudgetKeepers {
  const { clock, log, registry, objects, budgets, pods, namespaceLabels, isLeading } = parts;
  const running = new RunningPods(pods);
  const keepers: BudgetKeepers = new BudgetKeepers({
    clock,
    log,
    metrics: budgetMetrics(registry, () => keepers.views()),
    store: budgetStore(objects),
    isLeading,
    mayUse: ({ spec }, name) => allows(spec, { name, labels: namespaceLabels(name) }),
    podIsGone: (uid) => pods.isSynced && !running.has(uid),
    podIp: (uid) => running.ip(uid),
  });
  for (const budget of budgets.list()) {
    keepers.budgetChanged(budget.metadata.name, budgetOf(budget));
  }
  budgets.onChange((name, budget) => {
    keepers.budgetChanged(name, budgetOf(budget));
  });
  return keepers;
}

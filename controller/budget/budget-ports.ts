import type { BudgetStatus } from '../../crds/budget-status.ts';
import type { ConnectionBudget } from '../../crds/connection-budget.ts';
import type { Clock } from '../../platform/clock.ts';
import type { Logger } from '../../platform/logger.ts';
import type { BudgetMetrics } from './budget-metrics.ts';

/** Budgets on the API server itself; a cache would be too old for a compare-and-swap. */
export interface BudgetStore {
  /** Undefined = there is none, or it is no budget that can be kept. */
  read(name: string, signal: AbortSignal): Promise<ConnectionBudget | undefined>;
  /** Replaces the status if the object still has this resourceVersion; undefined = it has another, or is gone. */
  writeStatus(
    budget: ConnectionBudget,
    status: BudgetStatus,
    signal: AbortSignal,
  ): Promise<ConnectionBudget | undefined>;
}

/** What the keepers of budgets need of the rest of the controller. */
export interface BudgetPorts {
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: BudgetMetrics;
  readonly store: BudgetStore;
  /** By the Lease, at this instant; asked before each answer. */
  readonly isLeading: () => boolean;
  /** Whether pods of a namespace may use a budget. */
  readonly mayUse: (budget: ConnectionBudget, namespace: string) => boolean;
  /** The pod's object is gone. False while that is not certain. */
  readonly podIsGone: (podUid: string) => boolean;
  /** By the watch; undefined = not known yet. */
  readonly podIp: (podUid: string) => string | undefined;
}

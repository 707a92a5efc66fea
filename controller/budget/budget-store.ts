import type { BudgetStatus } from '../../crds/budget-status.ts';
import {
  parseBudget,
  type BudgetSpec,
  type ConnectionBudget,
} from '../../crds/connection-budget.ts';
import type { BudgetStore } from './budget-ports.ts';

/** A budget as it is sent to the API server. */
interface BudgetObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly uid?: string;
    readonly resourceVersion?: string;
  };
  readonly spec: BudgetSpec;
  readonly status: BudgetStatus;
}

/** Objects of the API server, by what is needed of them here. */
export interface BudgetObjects {
  /** Undefined when there is none. */
  readonly get: (name: string, signal: AbortSignal) => Promise<unknown>;
  /** Replaces the status if the object still has this resourceVersion. */
  readonly replaceStatus: (
    budget: BudgetObject,
    signal: AbortSignal,
  ) => Promise<
    { readonly outcome: 'written'; readonly object: unknown } | { readonly outcome: 'conflict' }
  >;
}

/** Budgets on the API server; one that its own schema would not take any more counts as none. */
export const budgetStore = ({ get, replaceStatus }: BudgetObjects): BudgetStore => ({
  read: async (name, signal) => budgetOf(await get(name, signal)),
  writeStatus: async ({ apiVersion, kind, metadata, spec }, status, signal) => {
    const { name, uid, resourceVersion } = metadata;
    const version = {
      ...(uid !== undefined && { uid }),
      ...(resourceVersion !== undefined && { resourceVersion }),
    };
    const object = { apiVersion, kind, metadata: { name, ...version }, spec, status };
    const replaced = await replaceStatus(object, signal);
    return replaced.outcome === 'conflict' ? undefined : budgetOf(replaced.object);
  },
});

/** Undefined: it is none, or not valid. */
export function budgetOf(object: unknown): ConnectionBudget | undefined {
  if (object === undefined) return undefined;
  const parsed = parseBudget(object);
  return 'budget' in parsed ? parsed.budget : undefined;
}

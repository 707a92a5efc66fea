import type { BudgetStatus } from '../../crds/budget-status.ts';
import type { BooksSummary, BudgetTerms } from './budget-terms.ts';
import { type BudgetCondition, hardLimit, type ServerLimits } from './hard-limit.ts';
import type { Ledger } from './ledger.ts';

/** What a status is made of. */
export interface BudgetFacts {
  readonly generation: number | undefined;
  readonly terms: BudgetTerms;
  readonly summary: BooksSummary;
  readonly free: number;
  /** Shares grow: nothing of a former leader runs any more. */
  readonly grows: boolean;
  readonly limits: ServerLimits | undefined;
  readonly refusals: number;
  readonly mostPods: number;
}

/** Pod and namespace by uid, for people. */
export type PodNames = ReadonlyMap<string, { readonly name: string; readonly namespace: string }>;

/** Counts and conditions; a condition keeps its time of transition while its status is the same. */
export function budgetStatus(
  facts: BudgetFacts,
  before: BudgetStatus | undefined,
  wallNowMs: number,
): Omit<BudgetStatus, 'ledger'> {
  const { generation, summary, free, refusals } = facts;
  const observed = generation === undefined ? {} : { observedGeneration: generation };
  const conditions = conditionsOf(facts).map((condition) => {
    const known = before?.conditions?.find(({ type }) => type === condition.type);
    const since =
      known?.status === condition.status
        ? known.lastTransitionTime
        : new Date(wallNowMs).toISOString();
    return { ...condition, ...observed, lastTransitionTime: since };
  });
  const { pods, counted: sessions, foreign } = summary;
  return { ...observed, conditions, pods, sessions, foreign, free, refusals };
}

function conditionsOf({ terms, summary, grows, limits, mostPods }: BudgetFacts): BudgetCondition[] {
  const { pods, floors, tooSmall } = summary;
  const half = Math.floor((terms.total - terms.reserve) / 2);
  const settling =
    'another controller has granted until now: shares grow again when all that it granted has ended, and a sidecar has listed the sessions of the server';
  const ready: BudgetCondition = grows
    ? { type: 'Ready', status: 'True', reason: 'Granting', message: 'shares follow demand' }
    : { type: 'Ready', status: 'False', reason: 'Settling', message: settling };
  let small: BudgetCondition = {
    type: 'BudgetTooSmall',
    status: 'False',
    reason: 'FloorsFit',
    message: `${pods} pods have floors of ${floors} sessions in all`,
  };
  if (tooSmall && pods >= mostPods) {
    const message = `${mostPods} pods are in the ledger, which takes no more: others are granted nothing`;
    small = { ...small, status: 'True', reason: 'LedgerFull', message };
  } else if (tooSmall) {
    const message = `floors of ${terms.floor} for ${pods} pods would be more than half of the budget (${half}): some pods live on grants alone; raise total or lower floor`;
    small = { ...small, status: 'True', reason: 'FloorsExceedHalf', message };
  }
  return [ready, hardLimit(terms, limits), small];
}

type StoredLedger = NonNullable<BudgetStatus['ledger']>;

/** The ledger as the status has it. */
export const storedLedger = ({ version, epoch, leaseMs, entries }: Ledger, names: PodNames) => ({
  version,
  epoch,
  leaseMs,
  entries: entries.map(({ pod, address, boot, floor, former }) => {
    const known = names.get(pod);
    const people = known && { name: known.name.slice(0, 56), namespace: known.namespace };
    return { pod, ...people, address, boot, floor, ...(former && { former }) };
  }),
});

/** The other way round. `leaseMs`: where the ledger does not say, ms. */
export const ledgerOf = (stored: StoredLedger, leaseMs: number): Ledger => ({
  version: stored.version,
  epoch: stored.epoch,
  leaseMs: stored.leaseMs ?? leaseMs,
  entries: stored.entries.map(({ pod, address, boot, floor, former = false }) => {
    return { pod, address, boot, floor, former };
  }),
});

import { isDeepStrictEqual } from 'node:util';
import { type ConnectionBudget, parseBudget } from '../../crds/connection-budget.ts';
import { pathText } from '../../crds/schema-faults.ts';
import { type AdmissionHandler, allow, refuse } from './admission-review.ts';

/** Refuses what the schema would let through by mistake, and warns of a budget that is smaller than what is out. */
export const budgetValidation: AdmissionHandler = ({ operation, name, object, oldObject }) => {
  const { spec, metadata } = (object ?? {}) as Partial<BudgetObject>;
  const { spec: before } = (oldObject ?? {}) as Partial<BudgetObject>;
  // Labels, finalizers and the like: one that an older schema took must not be held back from its deletion.
  if (operation === 'UPDATE' && isDeepStrictEqual(before, spec)) return allow();
  // One without a name gets it later.
  const read = parseBudget({
    ...(object as object | undefined),
    metadata: { ...metadata, name: metadata?.name ?? (name || 'generated') },
  });
  if ('faults' in read) {
    return refuse(422, read.faults.map(({ path, text }) => `${pathText(path)} ${text}`).join('; '));
  }
  return allow(budgetWarnings(read.budget));
};

interface BudgetObject {
  readonly metadata: { readonly name?: string };
  readonly spec: unknown;
}

function budgetWarnings({ spec, status }: ConnectionBudget): string[] {
  const room = spec.total - spec.reserve;
  const entries = status?.ledger?.entries ?? [];
  const floors = entries.reduce((sum, { floor }) => sum + floor, 0);
  const sessions = status?.sessions ?? 0;
  const warnings = [];
  if (sessions > room) {
    warnings.push(
      `total - reserve is ${room}, and ${sessions} sessions are open: they drain, and no pod gets more meanwhile`,
    );
  }
  if (floors > room / 2) {
    warnings.push(
      `floors of ${entries.length} sidecars are ${floors} sessions, more than half of total - reserve (${room}): new pods get none`,
    );
  } else if (spec.floor > room / 2) {
    warnings.push(
      `floor is ${spec.floor}, more than half of total - reserve (${room}): not even one pod gets it`,
    );
  }
  return warnings;
}

import { allows, budgetSpecSchema } from '../../crds/connection-budget.ts';
import type { PolicyEntry, Problem } from './policy-entry.ts';
import type { Labels, StoredObject } from './stored-object.ts';

/** What a policy is held against, besides the other policies. */
export interface Surroundings {
  readonly budget: (name: string) => StoredObject | undefined;
  /** Of the policy's namespace. */
  readonly namespaceLabels: Labels;
}

type Check = (entry: PolicyEntry, around: Surroundings) => Problem | undefined;

const isValid: Check = ({ fault }) => fault;

const budgetsAllowIt: Check = ({ spec, namespace }, { budget, namespaceLabels }) => {
  for (const [index, { budgetRef }] of (spec?.postgres ?? []).entries()) {
    if (budgetRef === undefined) continue;
    const field = `spec.postgres[${index}].budgetRef names the ConnectionBudget "${budgetRef.name}"`;
    const stored = budget(budgetRef.name);
    if (stored === undefined) {
      return { reason: 'BudgetMissing', message: `${field}, which does not exist` };
    }
    const { data: budgetSpec } = budgetSpecSchema.safeParse(stored.spec);
    if (budgetSpec === undefined) {
      return { reason: 'BudgetInvalid', message: `${field}, which is not valid` };
    }
    if (!allows(budgetSpec, { name: namespace, labels: namespaceLabels })) {
      const message = `${field}, whose spec.namespaces neither names nor selects the namespace "${namespace}"`;
      return { reason: 'BudgetNotAllowed', message };
    }
  }
  return undefined;
};

const checks: readonly Check[] = [isValid, budgetsAllowIt];

/** Why a policy cannot be in force, other policies aside; undefined when it can. */
export function firstProblem(entry: PolicyEntry, around: Surroundings): Problem | undefined {
  for (const check of checks) {
    const problem = check(entry, around);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

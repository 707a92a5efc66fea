import { z } from 'zod';
import { budgetStatusSchema } from './budget-status.ts';
import { type CrossFieldRule, distinct, smallRecord, withRules } from './cross-field-rules.ts';
import { count, dnsLabel, durationMs, labelValue, objectName } from './fields.ts';
import { apiVersion } from './resilience-policy.ts';
import { type Fault, issueText } from './schema-faults.ts';

export const budgetKind = 'ConnectionBudget';

/** The most that max_connections of PostgreSQL can be. */
const mostSessions = 262_143;

const namespacesFields = z.object({
  names: distinct(dnsLabel('Name of a namespace.'), 256, 'Namespaces by name.'),
  selector: z
    .object({
      matchLabels: smallRecord(
        labelValue,
        16,
        'Labels that a namespace must have, all of them; none means every namespace.',
      ),
    })
    .meta({ description: 'Namespaces by their labels, besides those by name.' })
    .optional(),
});

export const namespacesRules: readonly CrossFieldRule<z.output<typeof namespacesFields>>[] = [
  {
    field: 'names',
    holds: ({ names, selector }) => names.length > 0 || selector !== undefined,
    fault: () => 'must have an entry where there is no selector',
    cel: {
      rule: 'self.names.size() > 0 || has(self.selector)',
      message: 'names must have an entry where there is no selector',
    },
  },
];

const specFields = z.object({
  total: z
    .int()
    .min(1)
    .max(mostSessions)
    .describe('Sessions that may be open on the server at the same time, whatever opened them.'),
  reserve: count(
    0,
    { min: 0, max: mostSessions },
    'Of these: for others than sidecars, such as migrations and people. The role or the database should carry CONNECTION LIMIT = total - reserve.',
  ),
  floor: count(
    1,
    { min: 0, max: 1_000 },
    'Sessions that each pod keeps without the controller. All floors together are at most half of total - reserve; pods beyond that live on what they are granted.',
  ),
  ceiling: count(
    1_000,
    { min: 1, max: 2_000 },
    'Most sessions of one pod, however much it asks for.',
  ),
  leaseMs: durationMs(
    10_000,
    'A pod that the controller does not hear gives up what is above its floor within so long; so long it takes to have the room back.',
    { min: 2_000, max: 60_000 },
  ),
  namespaces: withRules(
    namespacesFields,
    'Whose policies may use it. A namespace needs to be named or to be selected.',
    namespacesRules,
  ),
});
type SpecFields = z.output<typeof specFields>;

export const budgetRules: readonly CrossFieldRule<SpecFields>[] = [
  {
    field: 'reserve',
    holds: ({ total, reserve }) => reserve < total,
    fault: ({ total }) => `must be less than total (${total})`,
    cel: { rule: 'self.reserve < self.total', message: 'reserve must be less than total' },
  },
  {
    field: 'floor',
    holds: ({ floor, ceiling }) => floor <= ceiling,
    fault: ({ ceiling }) => `must be at most ceiling (${ceiling})`,
    cel: { rule: 'self.floor <= self.ceiling', message: 'floor must be at most ceiling' },
  },
];

export const budgetSpecSchema = withRules(
  specFields,
  'How many sessions the pods that use a database may have on its server, all together.',
  budgetRules,
);

/** A budget as the API server has it. */
const budgetSchema = z.object({
  apiVersion: z.literal(apiVersion),
  kind: z.literal(budgetKind),
  metadata: z.object({
    name: objectName("a ConnectionBudget's", 'Name of the budget.'),
    uid: z.string().optional(),
    resourceVersion: z.string().optional(),
    generation: z.int().optional(),
  }),
  spec: budgetSpecSchema,
  status: budgetStatusSchema.optional(),
});

export type BudgetSpec = Readonly<z.output<typeof budgetSpecSchema>>;
export type ConnectionBudget = Readonly<z.output<typeof budgetSchema>>;

/** A budget with its defaults, or what is wrong with it. Fields that it does not know are passed over: a newer API server may have them. */
export function parseBudget(
  value: unknown,
): { readonly budget: ConnectionBudget } | { readonly faults: readonly Fault[] } {
  const { success, data, error } = budgetSchema.safeParse(value, { reportInput: true });
  if (success) return { budget: data };
  return { faults: error.issues.map((issue) => ({ path: issue.path, text: issueText(issue) })) };
}

/** A namespace, as far as a budget looks at it. */
export interface NamespaceFacts {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** Whether policies of a namespace may use a budget. */
export function allows({ namespaces }: BudgetSpec, { name, labels }: NamespaceFacts): boolean {
  const { names, selector } = namespaces;
  return (
    names.includes(name) ||
    (selector !== undefined &&
      Object.entries(selector.matchLabels).every(([key, value]) => labels[key] === value))
  );
}

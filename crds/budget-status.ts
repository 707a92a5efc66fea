import { z } from 'zod';
import { conditionList, text, whole } from './status-fields.ts';

/** The kinds of conditions that a budget has. */
export const budgetConditionTypes = ['Ready', 'HardLimit', 'BudgetTooSmall'] as const;

/**
 * Most sidecars in a ledger. An entry has at most 297 bytes, as its longest texts say, and 200 mostly: so many stay below the 1.5 MiB that etcd
 * takes as one object.
 */
export const mostLedgerEntries = 5_000;

const entry = z.object({
  pod: text(36, 'uid of the pod.'),
  name: text(
    56,
    'Name of the pod, for people; the first 56 characters of a longer one.',
  ).optional(),
  namespace: text(63, 'Namespace of the pod, for people.').optional(),
  address: text(45, 'Address of the pod, as the server sees it; empty while it is not known.'),
  boot: z
    .int()
    .min(0)
    .max(Number.MAX_SAFE_INTEGER)
    .describe('Which start of its sidecar this is; a newer one has a higher number.'),
  floor: z.int().min(0).max(1_000).describe('Sessions that it keeps without asking anybody.'),
  former: z
    .boolean()
    .describe('An earlier start of its sidecar may have left sessions on the server.')
    .optional(),
});

const ledger = z
  .object({
    version: whole('Raised by each write.'),
    epoch: whole('Raised by each controller that begins to grant.'),
    leaseMs: whole('The longest that a grant may run.').optional(),
    entries: z.array(entry).max(mostLedgerEntries).meta({
      description: 'Sidecars that may have sessions, and what they keep.',
      // One owner, and no list of fields for each entry in managedFields.
      'x-kubernetes-list-type': 'atomic',
    }),
  })
  .meta({ description: 'What has to outlive every controller. Do not edit it.' });

/** What the controller says of a budget; nobody else writes it. */
export const budgetStatusSchema = z
  .object({
    observedGeneration: whole('Generation of the budget that all of this was said of.').optional(),
    conditions: conditionList(
      'Ready: shares are granted. HardLimit: the server enforces the budget by CONNECTION LIMIT, and has room for it. BudgetTooSmall: floors would be more than half of the budget, so some pods have none.',
    ),
    pods: whole('Sidecars that may have sessions.').optional(),
    sessions: whole('Sessions that count as theirs: what they have, or may have.').optional(),
    foreign: whole('Sessions on the server that belong to no sidecar.').optional(),
    free: z
      .int()
      .min(-2_000_000_000)
      .max(2_000_000_000)
      .describe('What is left; negative while more is out than there should be.')
      .optional(),
    refusals: whole('Sessions that the server refused since the controller leads.').optional(),
    ledger: ledger.optional(),
  })
  .meta({ description: 'What the controller says of the budget. Nobody else writes it.' });

export type BudgetStatus = Readonly<z.output<typeof budgetStatusSchema>>;

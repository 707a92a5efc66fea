import { type budgetConditionTypes, budgetStatusSchema } from './budget-status.ts';
import { budgetKind, budgetSpecSchema } from './connection-budget.ts';
import {
  column,
  conditionColumn,
  definitionOf,
  definitionYaml,
  objectOpenApi,
} from './definition.ts';
import { openApiOf } from './open-api.ts';

const condition = (type: (typeof budgetConditionTypes)[number], priority?: 1) =>
  conditionColumn(type, priority);

const resource = {
  kind: budgetKind,
  plural: 'connectionbudgets',
  singular: 'connectionbudget',
  shortName: 'cb',
  // Of whoever owns the database: one for many namespaces.
  scope: 'Cluster',
  description:
    'How many sessions the pods that use a database may have on its server, all together. Policies name it in `postgres[].budgetRef`.',
  spec: openApiOf(budgetSpecSchema),
  status: openApiOf(budgetStatusSchema),
  columns: [
    column('Total', 'integer', '.spec.total'),
    column('Reserve', 'integer', '.spec.reserve'),
    column('Pods', 'integer', '.status.pods'),
    column('Sessions', 'integer', '.status.sessions'),
    column('Free', 'integer', '.status.free'),
    condition('Ready'),
    condition('HardLimit'),
    condition('BudgetTooSmall', 1),
  ],
} as const;

/** What the API server knows of a budget's fields, in OpenAPI 3.0. */
export const budgetOpenApi = () => objectOpenApi(resource);

/** The manifest of the CRD, as `kubectl apply` takes it. */
export const budgetDefinition = (): object => definitionOf(resource);

export const budgetDefinitionYaml = (): string =>
  definitionYaml(budgetDefinition(), 'crds/connection-budget.ts');

import { budgetOpenApi } from './budget-definition.ts';
import { policyOpenApi } from './custom-resource-definition.ts';
import type { OpenApi } from './open-api.ts';

/** A field of a schema: `spec.postgres[].pool.min`. */
export interface Field {
  readonly path: string;
  readonly schema: OpenApi;
}

/** Every field of `spec`, itself first; items of lists and records among them. */
export const specFields = (): Field[] =>
  fieldsOf(policyOpenApi().properties?.['spec'] as OpenApi, 'spec');

/** Every field of `status`, itself first. */
export const statusFields = (): Field[] =>
  fieldsOf(policyOpenApi().properties?.['status'] as OpenApi, 'status');

/** Every field of a budget's `spec`, itself first. */
export const budgetFields = (): Field[] =>
  fieldsOf(budgetOpenApi().properties?.['spec'] as OpenApi, 'spec');

/** Every field of a budget's `status`, itself first. */
export const budgetStatusFields = (): Field[] =>
  fieldsOf(budgetOpenApi().properties?.['status'] as OpenApi, 'status');

function fieldsOf(schema: OpenApi, path: string): Field[] {
  return [
    { path, schema },
    ...Object.entries(schema.properties ?? {}).flatMap(([key, inner]) =>
      fieldsOf(inner, `${path}.${key}`),
    ),
    ...(schema.items === undefined ? [] : fieldsOf(schema.items, `${path}[]`)),
    ...(schema.additionalProperties === undefined
      ? []
      : fieldsOf(schema.additionalProperties, `${path}{}`)),
  ];
}

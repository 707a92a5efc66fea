import { stringify } from 'yaml';
import type { OpenApi } from './open-api.ts';
import { apiGroup } from './resilience-policy.ts';

interface Resource {
  readonly kind: string;
  readonly plural: string;
  readonly singular: string;
  readonly shortName: string;
  readonly scope: 'Namespaced' | 'Cluster';
  readonly description: string;
  readonly spec: OpenApi;
  readonly status: OpenApi;
  /** Between the name and the age. */
  readonly columns: readonly Column[];
}

interface Column {
  readonly name: string;
  readonly type: string;
  readonly jsonPath: string;
  readonly priority?: number;
}

export const column = (name: string, type: string, jsonPath: string): Column => ({
  name,
  type,
  jsonPath,
});

/** A condition as a column; of priority 1: only with `-o wide`. */
export const conditionColumn = (type: string, priority?: 1): Column => ({
  ...column(type, 'string', `.status.conditions[?(@.type=="${type}")].status`),
  ...(priority === undefined ? {} : { priority }),
});

/** What the API server knows of an object's fields, in OpenAPI 3.0. */
export const objectOpenApi = ({ description, spec, status }: Resource): OpenApi => ({
  description,
  type: 'object',
  required: ['spec'],
  properties: {
    apiVersion: { type: 'string' },
    kind: { type: 'string' },
    metadata: { type: 'object' },
    spec,
    status,
  },
});

/** The manifest of a CRD, as `kubectl apply` takes it. */
export function definitionOf(resource: Resource): object {
  const { kind, plural, singular, shortName, scope, columns } = resource;
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${apiGroup}` },
    spec: {
      group: apiGroup,
      scope,
      names: {
        kind,
        listKind: `${kind}List`,
        plural,
        singular,
        shortNames: [shortName],
        categories: ['holdfast'],
      },
      versions: [
        {
          name: 'v1alpha1',
          served: true,
          storage: true,
          subresources: { status: {} },
          schema: { openAPIV3Schema: objectOpenApi(resource) },
          additionalPrinterColumns: [
            ...columns,
            column('Age', 'date', '.metadata.creationTimestamp'),
          ],
        },
      ],
    },
  };
}

/** A manifest as it is committed; `source` is the file that it is made from. */
export const definitionYaml = (definition: object, source: string): string =>
  `# Made from ${source} by \`npm run generate\`. Change it there.\n${stringify(definition, { lineWidth: 120 })}`;

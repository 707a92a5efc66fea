import { stringify } from 'yaml';
import { z } from 'zod';
import { type conditionTypes, policyStatusSchema } from './policy-status.ts';
import { apiGroup, policyKind, policySpecSchema } from './resilience-policy.ts';

/** What the API server knows of a policy's fields, in OpenAPI 3.0. */
export function policyOpenApi(): OpenApi {
  const openApiOf = (schema: z.ZodType): OpenApi =>
    z.toJSONSchema(schema, { target: 'openapi-3.0', io: 'input' }) as OpenApi;
  return {
    description:
      'What a sidecar offers to its pod (pools of connections, Redis), and what protects the calls that go through it.',
    type: 'object',
    required: ['spec'],
    properties: {
      apiVersion: { type: 'string' },
      kind: { type: 'string' },
      metadata: { type: 'object' },
      spec: forApiServer(openApiOf(policySpecSchema)),
      status: openApiOf(policyStatusSchema),
    },
  };
}

/** A schema in which the API server sees what the parser sees. */
function forApiServer(schema: OpenApi): OpenApi {
  const properties = Object.fromEntries(
    Object.entries(schema.properties ?? {}).map(([key, inner]) => [key, forApiServer(inner)]),
  );
  return {
    ...schema,
    ...(schema.properties === undefined ? {} : { properties }),
    ...(schema.items === undefined ? {} : { items: forApiServer(schema.items) }),
    ...wholeDefault({ ...schema, properties }),
    ...fractionalMinimum(schema),
  };
}

/** It holds a block's rules against its default as it stands, so `{}` has to have the defaults of its fields in it. */
function wholeDefault({ properties = {}, default: given }: OpenApi): object {
  if (typeof given !== 'object' || Array.isArray(given)) return {};
  const whole: Record<string, unknown> = {};
  for (const [key, inner] of Object.entries(properties)) {
    if (inner['default'] !== undefined) whole[key] = inner['default'];
  }
  return { default: { ...whole, ...given } };
}

/** It rounds a minimum down before it compares a whole number with it: 0 would pass for 0.01. */
function fractionalMinimum({ minimum }: OpenApi): object {
  if (typeof minimum !== 'number' || Number.isInteger(minimum)) return {};
  return {
    'x-kubernetes-validations': [
      { rule: `self >= ${minimum}`, message: `must be at least ${minimum}` },
    ],
  };
}

/** The part of an OpenAPI schema that is read here; the rest is passed on. */
export interface OpenApi {
  readonly [keyword: string]: unknown;
  readonly type?: string;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, OpenApi>>;
  readonly additionalProperties?: OpenApi;
  readonly items?: OpenApi;
}

/** The manifest of the CRD, as `kubectl apply` takes it. */
export function policyDefinition(): object {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `resiliencepolicies.${apiGroup}` },
    spec: {
      group: apiGroup,
      scope: 'Namespaced',
      names: {
        kind: policyKind,
        listKind: `${policyKind}List`,
        plural: 'resiliencepolicies',
        singular: 'resiliencepolicy',
        shortNames: ['rp'],
        categories: ['holdfast'],
      },
      versions: [
        {
          name: 'v1alpha1',
          served: true,
          storage: true,
          subresources: { status: {} },
          schema: { openAPIV3Schema: policyOpenApi() },
          additionalPrinterColumns: [
            { name: 'Mode', type: 'string', jsonPath: '.spec.mode' },
            condition('Accepted'),
            condition('Programmed'),
            { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
          ],
        },
      ],
    },
  };
}

/** A column of `kubectl get rp`. */
const condition = (type: (typeof conditionTypes)[number]) => ({
  name: type,
  type: 'string',
  jsonPath: `.status.conditions[?(@.type=="${type}")].status`,
});

export const policyDefinitionYaml = (): string =>
  `# Made from crds/resilience-policy.ts by \`npm run generate\`. Change it there.\n${stringify(policyDefinition(), { lineWidth: 120 })}`;

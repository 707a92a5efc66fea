import {
  column,
  conditionColumn,
  definitionOf,
  definitionYaml,
  objectOpenApi,
} from './definition.ts';
import { openApiOf } from './open-api.ts';
import { type conditionTypes, policyStatusSchema } from './policy-status.ts';
import { policyKind, policySpecSchema } from './resilience-policy.ts';

const condition = (type: (typeof conditionTypes)[number], priority?: 1) =>
  conditionColumn(type, priority);

const resource = {
  kind: policyKind,
  plural: 'resiliencepolicies',
  singular: 'resiliencepolicy',
  shortName: 'rp',
  scope: 'Namespaced',
  description:
    'What a sidecar offers to its pod (pools of connections, Redis), and what protects the calls that go through it.',
  spec: openApiOf(policySpecSchema),
  status: openApiOf(policyStatusSchema),
  columns: [
    column('Mode', 'string', '.spec.mode'),
    condition('Accepted'),
    condition('Programmed'),
    column('Pods', 'integer', '.status.pods.selected'),
    column('In force', 'integer', '.status.pods.programmed'),
    condition('Degraded', 1),
    condition('Conflicted', 1),
  ],
} as const;

/** What the API server knows of a policy's fields, in OpenAPI 3.0. */
export const policyOpenApi = () => objectOpenApi(resource);

/** The manifest of the CRD, as `kubectl apply` takes it. */
export const policyDefinition = (): object => definitionOf(resource);

export const policyDefinitionYaml = (): string =>
  definitionYaml(policyDefinition(), 'crds/resilience-policy.ts');

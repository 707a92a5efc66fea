import { z } from 'zod';
import { alerts } from './alert-fields.ts';
import { type CrossFieldRule, listBy, smallRecord, withRules } from './cross-field-rules.ts';
import { labelValue } from './fields.ts';
import { locks, lockTransitions } from './lock-fields.ts';
import { postgresPool } from './postgres-fields.ts';
import { redisPool } from './redis-fields.ts';
import { target } from './target-fields.ts';
import { tracing } from './tracing-fields.ts';

export const apiGroup = 'resilience.holdfast.dev';
export const apiVersion = `${apiGroup}/v1alpha1`;
export const policyKind = 'ResiliencePolicy';

const selector = z
  .object({
    matchLabels: smallRecord(
      labelValue,
      16,
      'Labels that a pod must have, all of them; none means every pod.',
    ),
  })
  .meta({
    description: "Which pods of the policy's namespace it is for. Without it: all of them.",
  });

/** One schema gives the TypeScript type, the sidecar's parser with its defaults, and the CRD's openAPIV3Schema. */
const specFields = z.object({
  selector: selector.optional(),
  mode: z
    .enum(['Enforce', 'Shadow'])
    .default('Enforce')
    .describe(
      'Enforce: the policy is in force. Shadow: it only counts what it would have done, beside the one in force; it opens no pool.',
    ),
  postgres: listBy(['name'], postgresPool, 16, 'Pools of PostgreSQL connections.'),
  redis: listBy(['name'], redisPool, 16, 'Redis servers.'),
  targets: listBy(['kind', 'name'], target, 64, 'What protects calls, by what they go to.'),
  locks: locks.optional(),
  tracing: tracing.optional(),
  alerts: alerts.optional(),
});

type SpecFields = z.output<typeof specFields>;
const strayFallback = ({ targets }: SpecFields): string | undefined =>
  targets.find(
    ({ name, fallback }) =>
      fallback?.upstream !== undefined &&
      (fallback.upstream.name === name ||
        !targets.some(
          (other) => other.kind === 'Upstream' && other.name === fallback.upstream?.name,
        )),
  )?.name;

export const specRules: readonly CrossFieldRule<SpecFields>[] = [
  {
    field: 'targets',
    holds: (spec) => strayFallback(spec) === undefined,
    fault: (spec) =>
      `has in "${strayFallback(spec)}" a fallback.upstream that is no other target of kind Upstream`,
    cel: {
      rule: "!has(self.targets) || self.targets.all(t, !has(t.fallback) || !has(t.fallback.upstream) || self.targets.exists(o, o.kind == 'Upstream' && o.name == t.fallback.upstream.name && o.name != t.name))",
      message: 'targets has a fallback.upstream that is no other target of kind Upstream',
    },
  },
];

export const policySpecSchema = withRules(
  specFields,
  'What the sidecars of the selected pods offer, and within which limits.',
  specRules,
  lockTransitions,
);

export type PolicySpec = Readonly<z.output<typeof policySpecSchema>>;
export type PostgresPolicy = Readonly<z.output<typeof postgresPool>>;
export type TargetPolicy = Readonly<z.output<typeof target>>;
export type LockSettings = Readonly<z.output<typeof locks>>;
export type RedisPolicy = Readonly<z.output<typeof redisPool>>;

/** A manifest, as far as the sidecar reads it. */
export const policySchema = z.object({
  apiVersion: z.literal(apiVersion),
  kind: z.literal(policyKind),
  metadata: z.object({
    name: z
      .string()
      .max(253)
      .regex(
        /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/,
        'must be a DNS subdomain: lower-case letters, digits, `-` and `.`',
      ),
    namespace: z.string().min(1).max(63).optional(),
  }),
  spec: policySpecSchema,
});

export type ResiliencePolicy = Readonly<z.output<typeof policySchema>>;

/** What a policy says of a pool, its secret aside; every field at its default. */
export const postgresDefaults = (name: string): Omit<PostgresPolicy, 'secretRef'> =>
  postgresPool.omit({ secretRef: true }).parse({ name });

/** What a policy says of a Redis, its secret aside; every field at its default. */
export const redisDefaults = (name: string): Omit<RedisPolicy, 'secretRef'> =>
  redisPool.omit({ secretRef: true }).parse({ name });

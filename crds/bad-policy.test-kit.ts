import { apiVersion, policyKind } from './resilience-policy.ts';

/** One thing wrong, and who says so in which words. */
export interface BadPolicy {
  readonly title: string;
  readonly manifest: object;
  /** The field that the parser names. */
  readonly field: string;
  /** Where the API server says it differently: the field that it names, or why it takes the policy. */
  readonly server?:
    | { readonly names: string; readonly because: string }
    | { readonly takes: string };
}

export const manifest = (spec: unknown): object => ({
  apiVersion,
  kind: policyKind,
  metadata: { name: 'orders' },
  spec,
});

/** A bad `spec`. */
export const bad = (
  title: string,
  field: string,
  spec: unknown,
  server?: BadPolicy['server'],
): BadPolicy => ({
  title,
  field,
  manifest: manifest(spec),
  ...(server === undefined ? {} : { server }),
});

/** The API server's way to speak of items that have the keys of others. */
export const secondItem = (names: string) => ({
  names,
  because: 'the API server names the second item, and the parser the list',
});

export const secretRef = { name: 'a-secret' };
/** A spec with one PostgreSQL pool. */
export const pool = (fields: object = {}) => ({
  postgres: [{ name: 'default', secretRef, ...fields }],
});
/** A spec with one Redis. */
export const redis = (fields: object = {}) => ({
  redis: [{ name: 'default', secretRef, ...fields }],
});
/** A spec with one target, something that the application guards unless it says otherwise. */
export const target = (fields: object) => ({
  targets: [{ kind: 'Guard', name: 'legacy', ...fields }],
});
/** A target of kind Upstream. */
export const upstreamTarget = (upstream: object = {}, fields: object = {}) => ({
  kind: 'Upstream',
  name: 'api',
  upstream: { baseUrl: 'https://api.example.com/v1', ...upstream },
  ...fields,
});
/** A spec with one upstream. */
export const upstream = (fields: object = {}, more: object = {}) => ({
  targets: [upstreamTarget(fields, more)],
});

import type { KubeApi, KubeObject } from './cluster/kube-api.ts';

export interface Verdict {
  /** The fields that it has something against, each once; none when it takes the policy. */
  readonly fields: readonly string[];
  readonly messages: readonly string[];
  /** The policy as it would be stored, with its defaults. */
  readonly stored: KubeObject | undefined;
}

/** What `kubectl apply --dry-run=server --validate=strict` would hear of a new policy, or of another object of our API group. */
export async function dryRun(
  api: KubeApi,
  manifest: object,
  resource = 'namespaces/default/resiliencepolicies',
): Promise<Verdict> {
  const { apiVersion } = manifest as { apiVersion?: string };
  const path = `/apis/${apiVersion}/${resource}?dryRun=All&fieldValidation=Strict`;
  const { status, body } = await api.call('POST', path, { body: manifest });
  if (status === 201) return { fields: [], messages: [], stored: body };
  if (status === 404) return { fields: ['apiVersion'], messages: ['404'], stored: undefined };
  // A policy whose shape is wrong is not held against the rules, and it says so without a field.
  const causes = (body.details?.causes ?? []).filter(({ field }) => field !== '<nil>');
  const messages =
    causes.length > 0
      ? causes.map(({ field, message }) => `${field}: ${message}`)
      : [`${status} ${body.message}`];
  const fields = causes.length > 0 ? causes.map(({ field = '' }) => field) : unnamed(body.message);
  return { fields: [...new Set(fields)], messages, stored: undefined };
}

/** Before a policy is looked at as such, fields are named in prose only. */
function unnamed(message = ''): string[] {
  const unknown = [...message.matchAll(/unknown field "([^"]+)"/g)].map(([, field = '']) => field);
  if (unknown.length > 0) return unknown;
  return [message.includes('kind in the data') || message.includes('no kind') ? 'kind' : message];
}

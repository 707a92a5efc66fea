import { join } from 'node:path';
import type { ResiliencePolicy, TargetPolicy } from '../../crds/resilience-policy.ts';
import type { HttpHeader, HttpOptions } from '../http/http-options.ts';
import { SettingsError } from './settings-error.ts';
import { type PolicySources, readSecret, type SecretSources } from './targets.ts';
import { tlsSettings } from './tls-choice.ts';

/** An HTTP server as the policy has it, with its secrets: never log it. */
export interface UpstreamTarget extends HttpOptions {
  readonly fallback: TargetPolicy['fallback'];
}

type UpstreamPolicy = NonNullable<TargetPolicy['upstream']>;
type SecretRef = NonNullable<UpstreamPolicy['headers'][number]['secretRef']>;

/** The upstreams of all policies that are in force, in their order. */
export const policyUpstreams = (
  policies: readonly ResiliencePolicy[],
  sources: PolicySources,
): UpstreamTarget[] =>
  policies
    .filter(({ spec }) => spec.mode === 'Enforce')
    .flatMap(({ metadata, spec }) =>
      spec.targets.flatMap(({ name, upstream, fallback }, index) => {
        if (upstream === undefined) return [];
        const field = `spec.targets[${index}].upstream`;
        return sources.absent.read({ kind: 'Upstream', name, policy: metadata.name, field }, () =>
          upstreamTarget(name, upstream, fallback, sources),
        );
      }),
    );

function upstreamTarget(
  name: string,
  { headers, tls, ...options }: UpstreamPolicy,
  fallback: TargetPolicy['fallback'],
  sources: SecretSources,
): UpstreamTarget {
  const what = `secret of upstream "${name}":`;
  // The schema knows its characters; a port may still be too high.
  if (!URL.canParse(options.baseUrl)) {
    throw new SettingsError(`baseUrl of upstream "${name}" is no URL: ${options.baseUrl}`);
  }
  const ca =
    tls?.caSecretRef === undefined ? undefined : readSecret(tls.caSecretRef, what, sources);
  return {
    ...options,
    name,
    headers: headers.map(({ name, value, secretRef }): HttpHeader => {
      if (secretRef === undefined) return { name, value };
      return { name, value: value + headerSecret(secretRef, what, sources) };
    }),
    tls: tls === undefined ? undefined : tlsSettings(tls.mode, ca),
    fallback,
  };
}

/** Fit for a header: a line break in it would begin another one. */
function headerSecret(ref: SecretRef, what: string, sources: SecretSources): string {
  const secret = readSecret(ref, what, sources).replace(/\r?\n$/, '');
  const fault =
    secret === '' ? 'is empty' : /^[\t -~]*$/.test(secret) ? undefined : 'is no line of ASCII';
  if (fault === undefined) return secret;
  throw new SettingsError(`${what} ${secretPath(ref, sources)} ${fault}`);
}

const secretPath = ({ name, key }: SecretRef, { secretsDir }: SecretSources): string =>
  join(secretsDir, name, key);

import { stringify } from 'yaml';

/** A manifest that says only who grants locks. */
export const lockPolicy = (locks: object): string =>
  stringify({
    apiVersion: 'resilience.holdfast.dev/v1alpha1',
    kind: 'ResiliencePolicy',
    metadata: { name: 'locks' },
    spec: { locks },
  });

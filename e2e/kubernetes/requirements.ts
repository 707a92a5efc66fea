import { noNodeEver } from '../cluster/node-requirements.ts';
import { missingVariables } from './surroundings.ts';

/** Why `npm run e2e` cannot do anything here, in a sentence; undefined when it can. */
export function noEndToEndReason(): string | undefined {
  if (process.env['E2E_KUBECONFIG'] === undefined) return noNodeEver();
  const missing = missingVariables();
  return missing.length === 0
    ? undefined
    : `E2E_KUBECONFIG is set, but not ${missing.join(', ')}: see e2e/cluster/README.md`;
}

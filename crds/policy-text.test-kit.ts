import { PolicyFileError, readPolicyFile } from './policy-file.ts';

/** A manifest in YAML around a spec, which is indented by two. */
export const manifest = (
  spec: string,
  name = 'orders',
): string => `apiVersion: resilience.holdfast.dev/v1alpha1
kind: ResiliencePolicy
metadata:
  name: ${name}
spec:
${spec}`;

/** A PostgreSQL pool for a spec. */
export const pool = `  postgres:
    - name: default
      secretRef:
        name: postgres
      pool:
        min: 2
        max: 10
`;

/** What is wrong with a text; nothing with a good one. */
export const faultsOf = (text: string): readonly string[] => {
  try {
    readPolicyFile(text, 'policy.yaml');
  } catch (thrown) {
    if (thrown instanceof PolicyFileError) return thrown.faults;
    throw thrown;
  }
  return [];
};

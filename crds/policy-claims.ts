import type { PolicySpec } from './resilience-policy.ts';

/** Something that only one policy of a mode may say of a pod. */
export interface Claim {
  /** What it is, with the mode: a shadow policy stands beside the one in force. */
  readonly key: string;
  /** The field that says it. */
  readonly path: readonly PropertyKey[];
  /** What is wrong with it when another policy says it, too; to follow the name of the field. */
  readonly text: string;
}

/** What a policy claims for itself: its pools and targets by name, and the blocks that there can be only one of. */
export function claimsOf(spec: PolicySpec): readonly Claim[] {
  const { mode } = spec;
  const claims: Claim[] = [];
  for (const list of ['postgres', 'redis'] as const) {
    for (const [index, { name }] of spec[list].entries()) {
      const path = ['spec', list, index, 'name'];
      const text = `is the name of another ${list} pool`;
      claims.push({ key: `${mode} ${list} ${name}`, path, text });
    }
  }
  for (const [index, { kind, name }] of spec.targets.entries()) {
    const path = ['spec', 'targets', index, 'name'];
    const text = `is the name of another target of kind ${kind}`;
    claims.push({ key: `${mode} target ${kind} ${name}`, path, text });
  }
  for (const block of ['locks', 'tracing', 'alerts'] as const) {
    if (spec[block] === undefined) continue;
    const text = 'is in another policy, too';
    claims.push({ key: `${mode} ${block}`, path: ['spec', block], text });
  }
  return claims;
}

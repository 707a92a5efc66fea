import type { SelectedPod } from './effective-policies.ts';
import type { PolicyEntry } from './policy-entry.ts';

/** What the sidecar of a connected pod has said. */
export interface SidecarFacts {
  /** Version of the snapshot in force; empty = none from a controller. */
  readonly applied: string;
  /** The newest snapshot that it refused, while that is not in force. */
  readonly rejected:
    | {
        readonly version: string;
        readonly faults: readonly {
          /** Name; empty = of none in particular. */
          readonly policy: string;
          readonly field: string;
          readonly message: string;
        }[];
      }
    | undefined;
  /** What it takes only when it starts again, for people. */
  readonly restartRequired: readonly string[];
}

/** How far a pod is with one generation of a policy. */
export type PodProgress = { readonly pod: string } & (
  | { readonly state: 'disconnected' | 'pending' }
  | { readonly state: 'programmed'; readonly restart: readonly string[] }
  | { readonly state: 'rejecting'; readonly reason: string; readonly message: string }
);

/** What is in snapshots: generations by uid of policy. */
type Generations = (version: string) => ReadonlyMap<string, number> | undefined;

/** How far a pod is, by what its sidecar said last; undefined when it is not connected. */
export function progressOf(
  { uid, name, generation }: PolicyEntry,
  { pod: { name: pod } }: SelectedPod,
  facts: SidecarFacts | undefined,
  generations: Generations,
): PodProgress {
  if (facts === undefined) return { pod, state: 'disconnected' };
  const { applied, rejected, restartRequired } = facts;
  if (generations(applied)?.get(uid) === generation) {
    return { pod, state: 'programmed', restart: restartRequired.filter(isOf(name)) };
  }
  if (rejected === undefined || generations(rejected.version)?.get(uid) !== generation) {
    return { pod, state: 'pending' };
  }
  const fault =
    rejected.faults.find(({ policy }) => policy === name) ??
    rejected.faults.find(({ policy }) => policy === '') ??
    rejected.faults[0];
  if (fault === undefined) return { pod, state: 'rejecting', reason: 'Refused', message: '' };
  const text = fault.field === '' ? fault.message : `${fault.field}: ${fault.message}`;
  // A sidecar takes all policies or none.
  return fault.policy === '' || fault.policy === name
    ? { pod, state: 'rejecting', reason: 'Refused', message: text }
    : {
        pod,
        state: 'rejecting',
        reason: 'RefusedWithAnother',
        message: `refused together with the policy "${fault.policy}": ${text}`,
      };
}

/** Whether a line is about a policy, or about none in particular; sidecars begin one that is about a policy with its name. */
const isOf =
  (policy: string) =>
  (line: string): boolean =>
    (/^policy "([^"]*)": /.exec(line)?.[1] ?? policy) === policy;

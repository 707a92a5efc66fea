import { type AdmissionHandler, allow, refuse } from './admission-review.ts';
import { injectPod, type InjectionSettings } from './inject.ts';
import type { Pod } from './pod.ts';
import { readable, type StoredPolicy } from './stored-policies.ts';

export interface PodMutationParts {
  readonly settings: InjectionSettings;
  readonly policiesIn: (namespace: string) => readonly StoredPolicy[];
  /** PEM of the controller's authorities just now; undefined = public ones. */
  readonly authorities: () => string | undefined;
}

/** The webhook of pods: has no effect but its answer, so a dry run is as any other. */
export const podMutation =
  ({ settings, policiesIn, authorities }: PodMutationParts): AdmissionHandler =>
  ({ operation, namespace = '', object }) => {
    // A pod's containers cannot be changed later.
    if (operation !== 'CREATE') return allow();
    const answer = injectPod({
      pod: object as Pod,
      namespace,
      policies: readable(policiesIn(namespace)),
      settings,
      authorities: authorities(),
    });
    switch (answer.kind) {
      case 'ignored':
        return allow();
      case 'refused':
        return refuse(422, answer.message);
      case 'injected':
        return { allowed: true, patch: answer.patch, warnings: answer.warnings };
      default:
        return answer satisfies never;
    }
  };

import type { PolicyStatus } from '../../crds/policy-status.ts';

/** Something that a person would look for in the events of a policy. */
export interface PolicyNews {
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
}

/** When a condition is worth an event. */
const worthTelling = [
  { type: 'Accepted', status: 'False', as: 'Warning' },
  { type: 'Degraded', status: 'True', as: 'Warning' },
  { type: 'Programmed', status: 'True', as: 'Normal' },
] as const;

/** What has come to be since the status before: each condition once, until it, its reason or the policy's generation changes. */
export function newsOf(before: PolicyStatus | undefined, now: PolicyStatus): readonly PolicyNews[] {
  return worthTelling.flatMap(({ type, status, as }) => {
    const is = now.conditions?.find((condition) => condition.type === type);
    const was = before?.conditions?.find((condition) => condition.type === type);
    if (is?.status !== status) return [];
    const isKnown =
      was?.status === status &&
      was.reason === is.reason &&
      was.observedGeneration === is.observedGeneration;
    return isKnown ? [] : [{ type: as, reason: is.reason, message: is.message }];
  });
}

import { isDeepStrictEqual } from 'node:util';
import { mostPodsNamed, type conditionTypes, type PolicyStatus } from '../../crds/policy-status.ts';
import type { Condition } from '../../crds/status-fields.ts';
import type { PodProgress } from './pod-progress.ts';
import type { Problem } from './policy-entry.ts';

/** All that a status is made of. */
export interface Standing {
  readonly generation: number;
  /** It is in force nowhere. */
  readonly refusal: Problem | undefined;
  /** It is in force, and something is wrong with it all the same. */
  readonly complaint: Problem | undefined;
  /** Where an older policy says the same, it is not in force. */
  readonly conflict: Problem | undefined;
  /** Selected pods, by name; what is not connected among them. */
  readonly pods: readonly PodProgress[];
}

type Type = (typeof conditionTypes)[number];
type Said = Readonly<Pick<Condition, 'status' | 'reason' | 'message'>>;

const mostMessage = 1_024;

/** What the status says; times of what has not changed are kept. `wallMs` is ms since 1970. */
export function statusOf(
  standing: Standing,
  before: PolicyStatus | undefined,
  wallMs: number,
): PolicyStatus {
  const { generation, pods } = standing;
  const rejections = pods.flatMap((pod) =>
    pod.state === 'rejecting'
      ? [{ pod: pod.pod, reason: pod.reason, message: shortened(pod.message) }]
      : [],
  );
  const restarts = pods.flatMap((pod) =>
    pod.state === 'programmed' && pod.restart.length > 0
      ? [{ pod: pod.pod, message: shortened(pod.restart.join('; ')) }]
      : [],
  );
  const counts = {
    selected: pods.length,
    connected: pods.filter(({ state }) => state !== 'disconnected').length,
    programmed: pods.filter(({ state }) => state === 'programmed').length,
    rejecting: rejections.length,
    restartRequired: restarts.length,
  };
  const said: Readonly<Record<Type, Said>> = {
    Accepted: accepted(standing),
    Programmed: programmed(standing, counts, pods),
    Conflicted: conflicted(standing),
    Degraded: degraded(standing, rejections, restarts),
  };
  return {
    observedGeneration: generation,
    conditions: Object.entries(said).map(([type, what]) =>
      conditionOf(type, what, generation, before, wallMs),
    ),
    pods: counts,
    ...(rejections.length === 0 ? {} : { rejections: rejections.slice(0, mostPodsNamed) }),
    ...(restarts.length === 0 ? {} : { restarts: restarts.slice(0, mostPodsNamed) }),
  };
}

/** Whether there is nothing new to write. */
export const isSameStatus = (one: PolicyStatus | undefined, other: PolicyStatus): boolean =>
  isDeepStrictEqual(one && inOrder(one), inOrder(other));

/** The API server may keep conditions in another order. */
const inOrder = (status: PolicyStatus): PolicyStatus => ({
  ...status,
  conditions: status.conditions?.toSorted((a, b) => (a.type < b.type ? -1 : 1)),
});

function accepted({ refusal, conflict }: Standing): Said {
  if (refusal !== undefined) return { status: 'False', ...refusal };
  if (conflict !== undefined) return { ...conflict, status: 'False', reason: 'Conflicted' };
  return { status: 'True', reason: 'Accepted', message: 'it is valid' };
}

function conflicted({ conflict }: Standing): Said {
  if (conflict !== undefined) return { status: 'True', ...conflict };
  return { status: 'False', reason: 'NoConflict', message: 'no older policy says the same' };
}

function programmed(
  { refusal, conflict }: Standing,
  { selected, connected, programmed }: { selected: number; connected: number; programmed: number },
  pods: readonly PodProgress[],
): Said {
  const of = `${programmed} of ${selected} pods have it in force`;
  if (refusal !== undefined) {
    return { status: 'False', reason: 'NotAccepted', message: 'it is not accepted' };
  }
  if (selected === 0) {
    return { status: 'True', reason: 'NoPods', message: 'it selects no pod that has a sidecar' };
  }
  if (connected === 0) {
    return {
      status: 'Unknown',
      reason: 'NotConnected',
      message: `none of ${selected} pods is connected`,
    };
  }
  if (programmed === connected) return { status: 'True', reason: 'Programmed', message: of };
  const late = pods.find(({ state }) => state === 'rejecting' || state === 'pending');
  const message = late === undefined ? of : `${of}; among those that have not: ${late.pod}`;
  if (pods.some(({ state }) => state === 'rejecting')) {
    return { status: 'False', reason: 'Refused', message };
  }
  return { status: 'False', reason: conflict === undefined ? 'Pending' : 'Conflicted', message };
}

interface Named {
  readonly pod: string;
  readonly message: string;
}

function degraded(
  { complaint }: Standing,
  rejections: readonly Named[],
  restarts: readonly Named[],
): Said {
  const told = (what: string, [first, ...more]: readonly Named[]): string =>
    `pod ${first?.pod} ${what}: ${first?.message}${more.length === 0 ? '' : ` (and ${more.length} more)`}`;
  if (rejections.length > 0) {
    return { status: 'True', reason: 'Refused', message: told('refuses it', rejections) };
  }
  if (complaint !== undefined) return { status: 'True', ...complaint };
  if (restarts.length > 0) {
    return {
      status: 'True',
      reason: 'RestartRequired',
      message: told('needs a restart', restarts),
    };
  }
  return { status: 'False', reason: 'AsExpected', message: 'no pod refuses it or needs a restart' };
}

function conditionOf(
  type: string,
  said: Said,
  observedGeneration: number,
  before: PolicyStatus | undefined,
  wallMs: number,
): Condition {
  const last = before?.conditions?.find((condition) => condition.type === type);
  const lastTransitionTime =
    last?.status === said.status
      ? last.lastTransitionTime
      : new Date(wallMs).toISOString().replace(/\.\d+Z$/, 'Z');
  const message = shortened(said.message);
  return { type, ...said, message, observedGeneration, lastTransitionTime };
}

const shortened = (text: string): string =>
  text.length <= mostMessage ? text : `${text.slice(0, mostMessage - 1)}…`;

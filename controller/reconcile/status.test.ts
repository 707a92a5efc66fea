import { expect, test } from 'vitest';
import { policyStatusSchema, type PolicyStatus } from '../../crds/policy-status.ts';
import { newsOf } from './news.ts';
import type { PodProgress } from './pod-progress.ts';
import { isSameStatus, type Standing, statusOf } from './status.ts';

const calm: Standing = {
  generation: 3,
  refusal: undefined,
  complaint: undefined,
  conflict: undefined,
  pods: [],
};
const pods = (...states: readonly PodProgress['state'][]): PodProgress[] =>
  states.map((state, at) => {
    const pod = `orders-${at}`;
    if (state === 'programmed') return { pod, state, restart: [] };
    if (state === 'rejecting') return { pod, state, reason: 'Refused', message: 'a field' };
    return { pod, state };
  });
const status = (standing: Partial<Standing>, before?: PolicyStatus, wallMs = 0): PolicyStatus =>
  statusOf({ ...calm, ...standing }, before, wallMs);
/** `Accepted=True/Accepted …` */
const said = (standing: Partial<Standing>): string =>
  (status(standing).conditions ?? [])
    .map(({ type, status: is, reason }) => `${type}=${is}/${reason}`)
    .join(' ');
const message = (standing: Partial<Standing>, type: string): string | undefined =>
  status(standing).conditions?.find((condition) => condition.type === type)?.message;

const good = 'Accepted=True/Accepted';
const alone = 'Conflicted=False/NoConflict';
const fine = 'Degraded=False/AsExpected';

test.each<[string, Partial<Standing>, string]>([
  ['no pods', {}, `${good} Programmed=True/NoPods ${alone} ${fine}`],
  [
    'all have it',
    { pods: pods('programmed', 'programmed') },
    `${good} Programmed=True/Programmed ${alone} ${fine}`,
  ],
  [
    'one has it not yet',
    { pods: pods('programmed', 'pending') },
    `${good} Programmed=False/Pending ${alone} ${fine}`,
  ],
  [
    'one is not connected',
    { pods: pods('programmed', 'disconnected') },
    `${good} Programmed=True/Programmed ${alone} ${fine}`,
  ],
  [
    'nobody is connected',
    { pods: pods('disconnected') },
    `${good} Programmed=Unknown/NotConnected ${alone} ${fine}`,
  ],
  [
    'one refuses it',
    { pods: pods('programmed', 'rejecting') },
    `${good} Programmed=False/Refused ${alone} Degraded=True/Refused`,
  ],
  [
    'one needs a restart',
    { pods: [{ pod: 'a', state: 'programmed', restart: ['secret "x" is not mounted'] }] },
    `${good} Programmed=True/Programmed ${alone} Degraded=True/RestartRequired`,
  ],
  [
    'it is refused',
    { refusal: { reason: 'BudgetMissing', message: 'no budget' }, pods: pods('pending') },
    `Accepted=False/BudgetMissing Programmed=False/NotAccepted ${alone} ${fine}`,
  ],
  [
    'an older one says the same',
    { conflict: { reason: 'NamedTwice', message: 'a pool' }, pods: pods('pending') },
    `Accepted=False/Conflicted Programmed=False/Conflicted Conflicted=True/NamedTwice ${fine}`,
  ],
  [
    'its budget went away',
    { complaint: { reason: 'BudgetMissing', message: 'no budget' }, pods: pods('programmed') },
    `${good} Programmed=True/Programmed ${alone} Degraded=True/BudgetMissing`,
  ],
])('conditions: %s', (_title, standing, conditions) => {
  expect(said(standing)).toBe(conditions);
  expect(policyStatusSchema.parse(status(standing))).toEqual(status(standing));
});

test('counts add up, and the first pods are named', () => {
  const many = Array.from({ length: 20 }, () => 'rejecting' as const);
  const {
    pods: counts,
    rejections,
    observedGeneration,
  } = status({
    pods: pods('disconnected', 'pending', 'programmed', ...many),
  });
  expect(counts).toEqual({
    selected: 23,
    connected: 22,
    programmed: 1,
    rejecting: 20,
    restartRequired: 0,
  });
  expect(rejections).toHaveLength(16);
  expect(rejections?.[0]).toEqual({ pod: 'orders-3', reason: 'Refused', message: 'a field' });
  expect(observedGeneration).toBe(3);
});

test('Degraded names the pod and what it has against the policy', () => {
  expect(message({ pods: pods('programmed', 'rejecting', 'rejecting') }, 'Degraded')).toBe(
    'pod orders-1 refuses it: a field (and 1 more)',
  );
  expect(message({ pods: pods('programmed', 'pending') }, 'Programmed')).toBe(
    '1 of 2 pods have it in force; among those that have not: orders-1',
  );
});

test('a condition keeps its time until its status changes', () => {
  const times = (given: PolicyStatus) =>
    Object.fromEntries(
      (given.conditions ?? []).map(({ type, lastTransitionTime }) => [type, lastTransitionTime]),
    );
  const first = status({ pods: pods('pending') }, undefined, 1_000);
  const second = status({ pods: pods('programmed'), generation: 4 }, first, 61_500);
  expect(times(second)).toEqual({
    Accepted: '1970-01-01T00:00:01Z',
    Programmed: '1970-01-01T00:01:01Z',
    Conflicted: '1970-01-01T00:00:01Z',
    Degraded: '1970-01-01T00:00:01Z',
  });
  const third = status({ pods: pods('programmed'), generation: 4 }, second, 99_000);
  expect(isSameStatus(second, third)).toBe(true);
  expect(isSameStatus(first, third)).toBe(false);
  const turned = { ...second, conditions: second.conditions?.toReversed() };
  expect(isSameStatus(turned, third)).toBe(true);
});

test('people are told once of what has come to be', () => {
  const pending = status({ pods: pods('pending') });
  const refused = status({ pods: pods('rejecting') }, pending);
  const programmed = status({ pods: pods('programmed') }, refused);
  expect(newsOf(undefined, pending)).toEqual([]);
  expect(newsOf(pending, refused)).toEqual([
    {
      type: 'Warning',
      reason: 'Refused',
      message: 'pod orders-0 refuses it: a field',
    },
  ]);
  expect(newsOf(refused, refused)).toEqual([]);
  expect(newsOf(refused, programmed).map(({ reason }) => reason)).toEqual(['Programmed']);
  const again = status({ pods: pods('programmed'), generation: 4 }, programmed);
  expect(newsOf(programmed, again).map(({ reason }) => reason)).toEqual(['Programmed']);
});

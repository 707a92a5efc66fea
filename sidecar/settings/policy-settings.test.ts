import { expect, test } from 'vitest';
import { faultsOf, readPolicies } from './policy-settings.ts';

const text = (count: number): string =>
  [
    'apiVersion: resilience.holdfast.dev/v1alpha1',
    'kind: ResiliencePolicy',
    'metadata: { name: test }',
    'spec:',
    ...Array.from({ length: count }, (_, nth) => `  bogus${nth}: 1`),
  ].join('\n');

const faultOf = (contents: string): Error => {
  try {
    readPolicies('policy.yaml', () => contents);
  } catch (thrown) {
    return thrown as Error;
  }
  throw new Error('it was taken');
};

test('a file that cannot be used is not parsed again and again', () => {
  const first = faultOf(text(3));
  expect(faultOf(text(3))).toBe(first);
  expect(faultOf(text(2))).not.toBe(first);
});

test('of very many faults the first hundred are told', () => {
  expect(faultsOf(faultOf(text(100)))).toHaveLength(100);
  const faults = faultsOf(faultOf(text(150)));
  expect(faults).toHaveLength(101);
  expect(faults.at(-1)).toBe('and 50 more faults');
});

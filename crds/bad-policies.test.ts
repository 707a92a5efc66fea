import { expect, test } from 'vitest';
import { badPolicies } from './bad-policies.test-kit.ts';
import { faultyFields } from './faulty-fields.test-kit.ts';

test('there are enough of them, each with a title of its own', () => {
  expect(badPolicies.length).toBeGreaterThanOrEqual(60);
  expect(new Set(badPolicies.map(({ field, title }) => `${field}: ${title}`)).size).toBe(
    badPolicies.length,
  );
});

// What a real API server says of them: e2e/policy-contract.integration.test.ts.
test.each(badPolicies)('the parser refuses $field: $title', ({ manifest, field }) => {
  expect(faultyFields(manifest)).toEqual([field]);
});

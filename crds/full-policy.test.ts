import { expect, test } from 'vitest';
import { faultyFields } from './faulty-fields.test-kit.ts';
import { fullPolicy } from './full-policy.test-kit.ts';
import { places } from './policy-mutations.test-kit.ts';
import { specFields } from './schema-walk.test-kit.ts';

test('the policy that has every field there is is a good one', () => {
  expect(faultyFields(fullPolicy)).toEqual([]);
});

test('it has every field there is', () => {
  const has = new Set(
    places.map(({ path }) =>
      path
        .map((step, at) => (typeof step === 'number' ? '[]' : at === 0 ? step : `.${step}`))
        .join(''),
    ),
  );
  const missing = specFields().filter(({ path }) => !path.endsWith('{}') && !has.has(path));
  expect(missing.map(({ path }) => path)).toEqual([]);
});

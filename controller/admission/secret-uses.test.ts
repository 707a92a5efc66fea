import { expect, test } from 'vitest';
import { fullPolicy } from '../../crds/full-policy.test-kit.ts';
import { readPolicyFile } from '../../crds/policy-file.ts';
import { specFields } from '../../crds/schema-walk.test-kit.ts';
import { secretUses } from './secret-uses.ts';

/** Paths without their indexes. */
const plain = (path: string): string => path.replaceAll(/\[\d*\]/g, '');

test('a policy that has every field uses a secret wherever the schema has one', () => {
  const [policy] = readPolicyFile(JSON.stringify(fullPolicy), 'full.yaml');
  if (policy === undefined) throw new Error('no policy');
  const named = specFields()
    .map(({ path }) => plain(path))
    .filter((path) => /secretRef$/i.test(path));
  const found = secretUses(policy.spec).map(({ path }) => plain(path));
  expect(named.length).toBeGreaterThanOrEqual(6);
  expect([...new Set(found)].toSorted()).toEqual(named.toSorted());
});

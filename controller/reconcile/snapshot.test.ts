import { expect, test } from 'vitest';
import { policyObject } from './cluster.test-kit.ts';
import { type PolicyEntry, readEntry } from './policy-entry.ts';
import { Snapshots } from './snapshot.ts';

const entryOf = (generation: number, letters = 0): PolicyEntry => ({
  ...readEntry(policyObject('a', {}, { generation })),
  manifest: 'x'.repeat(letters),
});

test('generations of a large policy fill no memory; acknowledged ones are known all the same', () => {
  const snapshots = new Snapshots();
  const small = snapshots.of([entryOf(1, 10)]);
  expect(snapshots.of([entryOf(1, 10)])).toBe(small);
  const versions = Array.from({ length: 70 }, (_, index) => {
    return snapshots.of([entryOf(index + 2, 1024 * 1024)]).version;
  });
  const again = snapshots.of([entryOf(1, 10)]);
  expect(again).toEqual(small);
  expect(again).not.toBe(small);
  const [first = ''] = versions;
  expect(snapshots.generations(first)).toEqual(new Map([['uid-a', 2]]));
  const last = snapshots.of([entryOf(71, 1024 * 1024)]);
  expect(snapshots.of([entryOf(71, 1024 * 1024)])).toBe(last);
});

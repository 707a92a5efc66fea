import fc from 'fast-check';
import { expect, test } from 'vitest';
import { commonLabels, CompatibleIndex, SelectorIndex, selects } from './selection.ts';

const labels = fc.dictionary(
  fc.constantFrom('app', 'tier', 'zone'),
  fc.constantFrom('', 'a', 'b'),
  { maxKeys: 3 },
);
const items = fc
  .array(labels, { maxLength: 12 })
  .map((all) => all.map((selector, at) => ({ selector, at })));
const numbers = (found: readonly { readonly at: number }[]): number[] =>
  found.map(({ at }) => at).toSorted((one, other) => one - other);

test('the index finds what looking at all finds, each once', () => {
  fc.assert(
    fc.property(items, labels, (all, pod) => {
      const wanted = all.filter(({ selector }) => selects(selector, pod));
      expect(numbers(new SelectorIndex(all).matching(pod))).toEqual(numbers(wanted));
    }),
    { numRuns: 500 },
  );
});

test('the index of those that may meet finds what looking at all finds, each once', () => {
  fc.assert(
    fc.property(items, labels, (all, selector) => {
      const index = new CompatibleIndex<(typeof all)[number]>();
      for (const item of all) index.add(item);
      const wanted = all.filter((item) => commonLabels(item.selector, selector) !== undefined);
      expect(numbers([...index.compatible(selector)])).toEqual(numbers(wanted));
    }),
    { numRuns: 500 },
  );
});

test('a selector without labels selects every pod', () => {
  expect(selects({}, {})).toBe(true);
  expect(selects({ app: 'a' }, {})).toBe(false);
});

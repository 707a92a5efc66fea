import { expect, test } from 'vitest';
import { profileOf, StatementProfiles } from './statement-profile.ts';

test('a text too long to be read in passing is judged by its first word, and else by the worst', () => {
  const long = ` ${'1, '.repeat(400_000)} 1`;
  expect(profileOf(`select${long}`)).toMatchObject({
    reads: false,
    dirties: true,
    refusal: undefined,
  });
  expect(profileOf(`/* ${long} */ (; commit ${long}`).refusal).toContain('transactions have calls');
});

test('profiles are the same object for the same text, until too many characters are kept', () => {
  const profiles = new StatementProfiles();
  const text = (at: number): string => `select ${at} ${'-- filler '.repeat(1_500)}`;
  const first = profiles.of(text(0));
  expect(profiles.of(text(0))).toBe(first);
  for (let at = 1; at < 400; at += 1) profiles.of(text(at));
  expect(profiles.of(text(0))).not.toBe(first);
});

import { expect, test } from 'vitest';
import { Encoded } from './encoded.ts';

test('the whole of an answer is its parts, joined in order', () => {
  const [a, b] = [Buffer.from('ab'), Buffer.from('c')];
  expect(new Encoded(a, b).whole).toEqual(Buffer.from('abc'));
  expect(new Encoded(a, b).parts).toEqual([a, b]);
  expect(new Encoded().whole).toHaveLength(0);
});

test('a single part is not copied', () => {
  const only = Buffer.from('abc');
  expect(new Encoded(only).whole).toBe(only);
});

test('an answer whose parts may not be joined says itself what its whole is, when it is asked', () => {
  let asked = 0;
  const encoded = Encoded.withWhole([Buffer.from('a'), Buffer.from('b')], () => {
    asked += 1;
    return Buffer.from('other');
  });
  expect([encoded.parts.length, asked]).toEqual([2, 0]);
  expect(encoded.whole).toEqual(Buffer.from('other'));
  expect(Encoded.withWhole([Buffer.from('a')], () => Buffer.from('other')).whole).toEqual(
    Buffer.from('other'),
  );
});

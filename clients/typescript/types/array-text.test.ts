import { expect, test } from 'vitest';
import { parseArray } from './array-text.ts';

const texts = (text: string): unknown[] => parseArray(text, (item) => item);

test.each([
  ['{}', []],
  ['{1,2,3}', ['1', '2', '3']],
  ['{NULL,"NULL",null}', [null, 'NULL', 'null']],
  [String.raw`{"a\"b","c\\d",""}`, ['a"b', String.raw`c\d`, '']],
  ['{"{}","a,b"," "}', ['{}', 'a,b', ' ']],
  [
    '{{1,2},{NULL,"4"}}',
    [
      ['1', '2'],
      [null, '4'],
    ],
  ],
  ['[2:4]={1,2,3}', ['1', '2', '3']],
  ['[-1:0][1:1]={{a},{b}}', [['a'], ['b']]],
  ['{"",NULL}', ['', null]],
])('%s is read', (text, items) => {
  expect(texts(text)).toEqual(items);
});

test.each(['', '1', '{', '{1', '{1,', '{1,}', '{"a', '{1}2', '{,1}', '[1:2]', '{"a"b}'])(
  '%s is refused',
  (text) => {
    expect(() => texts(text)).toThrow('malformed array text');
  },
);

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { encodeCommands } from './command-encoding.ts';

/** What the Redis protocol says, letter by letter. */
const expected = (commands: readonly (readonly Buffer[])[]): Buffer =>
  Buffer.concat(
    commands.flatMap((words) => [
      Buffer.from(`*${words.length}\r\n`),
      ...words.flatMap((word) => [Buffer.from(`$${word.length}\r\n`), word, Buffer.from('\r\n')]),
    ]),
  );

const word = fc.uint8Array({ maxLength: 80 }).map((bytes) => Buffer.from(bytes));

test('commands become arrays of bulk strings', () => {
  fc.assert(
    fc.property(
      fc.array(fc.array(word, { minLength: 1, maxLength: 12 }), { minLength: 1 }),
      (commands) => {
        expect(Buffer.concat(encodeCommands(commands))).toEqual(expected(commands));
      },
    ),
  );
});

test('a large word is passed on and not copied, wherever it stands', () => {
  const large = Buffer.alloc(100_000, 'x');
  for (const commands of [
    [[Buffer.from('SET'), Buffer.from('k'), large]],
    [[large]],
    [
      [Buffer.from('SET'), large, large],
      [Buffer.from('GET'), Buffer.from('k')],
    ],
  ]) {
    const pieces = encodeCommands(commands);
    expect(Buffer.concat(pieces)).toEqual(expected(commands));
    expect(pieces).toContain(large);
  }
});

test('a command of many words', () => {
  const commands = [Array.from({ length: 12_345 }, (_, index) => Buffer.from(String(index)))];
  expect(Buffer.concat(encodeCommands(commands))).toEqual(expected(commands));
});

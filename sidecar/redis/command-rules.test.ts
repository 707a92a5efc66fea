import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  commandRule,
  mayBlock,
  refusalOf,
  refusedCommands,
  scriptRefusal,
} from './command-rules.ts';

const words = (line: string): Buffer[] => line.split(' ').map((word) => Buffer.from(word));
const refusal = (line: string): string | undefined => {
  const args = words(line);
  return refusalOf(commandRule(args[0] ?? Buffer.alloc(0)), args);
};

test.each(refusedCommands)('%s is refused in any spelling, with its name and a reason', (name) => {
  const mixed = name[0] + name.slice(1).toLowerCase();
  for (const spelled of [name, name.toLowerCase(), mixed]) {
    expect(refusal(`${spelled} x`)).toMatch(new RegExp(`^${name} is refused: \\S+`));
  }
});

describe('by subcommand', () => {
  test.each([
    'SCRIPT FLUSH',
    'script kill',
    'SCRIPT DEBUG YES',
    'FUNCTION FLUSH',
    'Function Delete lib',
    'FUNCTION RESTORE x',
    'FUNCTION KILL',
    'MEMORY PURGE',
  ])('%s is refused', (line) => {
    expect(refusal(line)).toMatch(/^(SCRIPT|FUNCTION|MEMORY) is refused: it reaches past/);
  });

  test.each([
    'SCRIPT LOAD x',
    'SCRIPT EXISTS x',
    'SCRIPT',
    'FUNCTION LOAD x',
    'FUNCTION LIST',
    'MEMORY USAGE FLUSH',
    'OBJECT ENCODING k',
  ])('%s passes', (line) => {
    expect(refusal(line)).toBeUndefined();
  });
});

describe('what may block', () => {
  const blocks = (line: string): boolean => {
    const args = words(line);
    return mayBlock(commandRule(args[0] ?? Buffer.alloc(0)), args);
  };

  test.each([
    'BLPOP k 0',
    'brpop k 1.5',
    'BLMOVE a b LEFT LEFT 0',
    'BLMPOP 0 1 k LEFT',
    'WAIT 1 100',
    'XREAD BLOCK 0 STREAMS s $',
    'xread count 5 block 100 streams s 0',
    'XREADGROUP GROUP g c BLOCK 0 STREAMS s >',
    'XREADGROUP GROUP g c COUNT 1 NOACK BLOCK 0 STREAMS s >',
  ])('%s does', (line) => {
    expect(blocks(line)).toBe(true);
    expect(refusal(line)).toBeUndefined();
  });

  test.each([
    'XREAD STREAMS s 0',
    'XREAD COUNT 5 STREAMS block 0',
    'XREADGROUP GROUP block block STREAMS s >',
    'XREADGROUP GROUP g block COUNT 1 STREAMS s >',
    'XREAD',
    'LPOP k',
    'GET k',
  ])('%s does not', (line) => {
    expect(blocks(line)).toBe(false);
    expect(refusal(line)).toBeUndefined();
  });
});

describe('a script', () => {
  test.each([
    ["redis.call('FLUSHALL')", 'FLUSHALL'],
    ['redis . pcall ("flushdb", "ASYNC")', 'FLUSHDB'],
    ['server.call[[KEYS]]', 'KEYS'],
    ["local a = 1\n\nreturn redis.call( 'Config', 'GET')", 'CONFIG'],
  ])('%s is refused', (body, name) => {
    expect(scriptRefusal(body)).toMatch(
      new RegExp(`^the script calls ${name}, which is refused: `),
    );
  });

  test.each([
    "redis.call('GET', KEYS[1])",
    "-- redis.call('FLUSHALL')",
    'return "FLUSHALL"',
    'redis.call(ARGV[1])',
    "myredis.call('KEYS')",
    "redis.call('BLPOP', KEYS[1], 0)",
  ])('%s passes', (body) => {
    expect(scriptRefusal(body)).toBeUndefined();
  });
});

test.each([
  'GET k',
  'set k v',
  'JSON.GET k',
  'FT.SEARCH i q',
  'NOSUCHCOMMAND',
  `${'X'.repeat(1000)} y`,
  'INFO',
  'BLOCK',
  '__proto__',
  'constructor',
])('%s passes', (line) => {
  expect(refusal(line)).toBeUndefined();
});

test('what only reads is known, and nothing else is taken for it', () => {
  const reads = (line: string): boolean => commandRule(words(line)[0] ?? Buffer.alloc(0)).reads;
  expect(['GET', 'get', 'HgetAll', 'XREAD', 'ZRANGE', 'PING'].every(reads)).toBe(true);
  expect(
    [
      'SET',
      'GETDEL',
      'GETEX',
      'INCR',
      'XREADGROUP',
      'EVAL',
      'FCALL',
      'NOSUCHCOMMAND',
      'SORT',
      'BITFIELD',
      'GEORADIUS',
    ].some(reads),
  ).toBe(false);
});

test('docs/redis.md has the commands that are refused by name, and no other', () => {
  const page = readFileSync(new URL('../../docs/redis.md', import.meta.url), 'utf8');
  const table = /## Refused commands[^]*?(?=\n## )/.exec(page)?.[0] ?? '';
  const cells = [...table.matchAll(/^\| .* \| (.*) \|$/gm)].map(([, cell]) => cell ?? '').slice(1);
  const named = cells.flatMap((cell) => cell.split(/; | \(/)[0]?.split(', ') ?? []);
  expect(named.toSorted()).toEqual(refusedCommands.toSorted());
});

test('the commands that its contract names are refused', () => {
  const named = [
    'SUBSCRIBE',
    'MONITOR',
    'MULTI',
    'WATCH',
    'SELECT',
    'AUTH',
    'CLIENT',
    'CONFIG',
    'FLUSHALL',
    'FLUSHDB',
    'KEYS',
    'SHUTDOWN',
  ];
  expect(refusedCommands).toEqual(expect.arrayContaining(named));
});

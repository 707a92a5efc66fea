import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { hostAndPort, redirectOf, slotRanges } from './cluster-map.ts';
import { commandSlot } from './command-slot.ts';
import { keySlot, slotCount, slotTag } from './key-slot.ts';

const slot = (line: string): number | undefined =>
  commandSlot(line.split(' ').map((word) => Buffer.from(word)));

describe('the slot of a key', () => {
  test.each([
    ['123456789', 12_739],
    ['foo', 12_182],
    ['', 0],
    ['{foo}.bar', 12_182],
    ['x{foo}{bar}', 12_182],
    ['{}foo', keySlot(Buffer.from('{}foo'))],
    ['foo{', keySlot(Buffer.from('foo{'))],
  ])('%j', (key, expected) => {
    expect(keySlot(Buffer.from(key))).toBe(expected);
  });

  test('every slot has a tag that leads to it', () => {
    const all = Array.from({ length: slotCount }, (_, number) => number);
    expect(all.map((number) => keySlot(Buffer.from(`a:{${slotTag(number)}}:b}`)))).toEqual(all);
    expect(slotTag(12_182)).toMatch(/^\w{1,4}$/);
  });
});

describe('the slot of a command', () => {
  const k = keySlot(Buffer.from('k'));
  test.each([
    'GET k',
    'set k v',
    'MGET k other',
    'EVAL body 1 k arg',
    'evalsha 0123 2 k l',
    'XREAD COUNT 1 STREAMS k 0',
    'XREADGROUP GROUP g c BLOCK 0 STREAMS k >',
    'OBJECT ENCODING k',
    'MEMORY USAGE k',
    'XGROUP CREATE k g $',
    'BLPOP k other 0',
    'BLMPOP 0 2 k other LEFT',
    'ZUNIONSTORE k 2 a b',
    'ZUNION 2 k b',
    'PUBLISH k m',
    'SPUBLISH k m',
    'SORT k BY x',
  ])('%s is that of k', (line) => {
    expect(slot(line)).toBe(k);
  });

  test.each([
    'PING',
    'DBSIZE',
    'SCAN 0',
    'SCRIPT LOAD x',
    'EVAL x 0',
    'MULTI',
    'EXEC',
    'NOSUCH k',
    'WAIT 1 1',
  ])('%s has none', (line) => {
    expect(slot(line)).toBeUndefined();
  });
});

test('ranges of slots, with a host that the node does not know', () => {
  const host = Buffer.from('10.0.0.1');
  const reply = [
    ['0', '99', [host, '7000', Buffer.from('id')], [host, '7003', Buffer.from('replica')]],
    ['100', '16383', [null, '7001', Buffer.from('id')]],
  ];
  expect(slotRanges(reply, 'asked')).toEqual([
    { first: 0, last: 99, address: '10.0.0.1:7000' },
    { first: 100, last: 16_383, address: 'asked:7001' },
  ]);
});

test.each([
  ['MOVED 3999 127.0.0.1:6381', { kind: 'MOVED', slot: 3_999, address: '127.0.0.1:6381' }],
  ['ASK 3999 ::1:6381', { kind: 'ASK', slot: 3_999, address: '::1:6381' }],
  ['MOVED 1 :6381', { kind: 'MOVED', slot: 1, address: ':6381' }],
  ['MOVED 1 ?:6381', { kind: 'MOVED', slot: 1, address: ':6381' }],
  ['MOVED', undefined],
  ['WRONGTYPE x', undefined],
])('%s', (message, redirect) => {
  expect(redirectOf(message)).toEqual(redirect);
});

test('addresses', () => {
  expect(hostAndPort('h:1')).toEqual({ host: 'h', port: 1 });
  expect(hostAndPort('fe80::1:7000')).toEqual({ host: 'fe80::1', port: 7_000 });
});

test('once.lua has one place for the body', () => {
  const lua = readFileSync(new URL('./once.lua', import.meta.url), 'utf8');
  expect(lua.split('--[[BODY]]')).toHaveLength(2);
});

import { expect, test } from 'vitest';
import { modulesOf } from './production-modules.ts';

const lock = {
  '': {},
  'node_modules/a': { dependencies: { b: '1', '@types/a': '1' } },
  'node_modules/a/node_modules/b': { dependencies: { c: '1' } },
  'node_modules/b': {},
  'node_modules/c': { optionalDependencies: { missing: '1' }, peerDependencies: { d: '1' } },
  'node_modules/d': { dependencies: { a: '1' } },
  'node_modules/@types/a': {},
  'node_modules/broken': { dependencies: { nowhere: '1' } },
  'node_modules/dev': {},
};

test('packages are found as Node finds them, once each, and types are left out', () => {
  expect([...modulesOf(lock, ['a'])].toSorted()).toEqual([
    'node_modules/a',
    'node_modules/a/node_modules/b',
    'node_modules/c',
    'node_modules/d',
  ]);
});

test('a package that is needed and not locked is said', () => {
  expect(() => modulesOf(lock, ['broken'])).toThrow('nowhere');
});

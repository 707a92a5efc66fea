import { expect, test } from 'vitest';
import { OpenScope } from './open-scope.ts';

test('what hangs on a scope is told once that it closed, unless it was taken off before', () => {
  const scope = new OpenScope();
  const told: string[] = [];
  scope.onClose(() => told.push('first'));
  const off = scope.onClose(() => told.push('taken off'));
  scope.onClose(() => told.push('last'));
  off();
  expect(told).toEqual([]);
  scope.close();
  scope.close();
  expect(told).toEqual(['first', 'last']);
});

test('what comes to a scope that has closed is told at once', () => {
  const scope = new OpenScope();
  scope.close();
  let told = 0;
  const off = scope.onClose(() => {
    told += 1;
  });
  expect(told).toBe(1);
  off();
  scope.close();
  expect(told).toBe(1);
});

test('one that is taken off, or comes, while the scope closes is treated by the same rules', () => {
  const scope = new OpenScope();
  const told: string[] = [];
  let off = (): void => {};
  scope.onClose(() => {
    told.push('first');
    off();
    scope.onClose(() => told.push('came meanwhile'));
  });
  off = scope.onClose(() => told.push('taken off meanwhile'));
  scope.close();
  expect(told).toEqual(['first', 'came meanwhile']);
});

test('a scope sends what is pushed until it closes', () => {
  const pushed: unknown[] = [];
  const scope = new OpenScope((field, message) => pushed.push([field, message]));
  scope.push('info', { version: '1' });
  scope.close();
  scope.push('info', { version: '2' });
  expect(pushed).toEqual([['info', { version: '1' }]]);
});

test('a scope that cannot send ignores what is pushed', () => {
  expect(() => new OpenScope().push('info', {})).not.toThrow();
});

test('a scope has room for answers, unless somebody says that it has not', () => {
  expect(new OpenScope().room()).toBeUndefined();
  const later = Promise.resolve();
  const full = new OpenScope(
    () => {},
    () => later,
  );
  expect(full.room()).toBe(later);
});

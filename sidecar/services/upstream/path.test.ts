import fc from 'fast-check';
import { expect, test } from 'vitest';
import { faultOfPath } from './path.ts';

test.each([
  '',
  '/',
  '/v1/items?limit=3',
  '?q=a%20b%0A../..&x=//',
  '/a//b',
  '/files/%E4%BD%A0.txt',
  '/~user/:id/@me;v=1/(x)',
  '/...',
  '/.well-known/x',
  '/a..b/..c/d..',
  '/100%25',
])('%j is a path', (path) => {
  expect(faultOfPath(path)).toBeUndefined();
});

test.each([
  ['items', 'must begin'],
  ['http://other/', 'must begin'],
  ['@other/', 'must begin'],
  [':80/', 'must begin'],
  ['//other/x', 'another host'],
  ['/..', 'segment'],
  ['/a/../b', 'segment'],
  ['/a/./b', 'segment'],
  ['/a/..?x', 'segment'],
  ['/%2e%2e/b', 'segment'],
  ['/.%2E/b', 'segment'],
  ['/%252e%252e/b', 'segment'],
  ['/%25252e%25252e/b', 'segment'],
  ['/a%2f..%2fb', 'segment'],
  ['/a%5c..%5cb', 'segment'],
  ['/a%252f..%252fb', 'segment'],
  ['/..;/b', 'segment'],
  ['/..;x=1/b', 'segment'],
  ['/..%3bx/b', 'segment'],
  ['/a\\..\\b', '`\\`'],
  ['/a#b', '`#`'],
  ['/a b', 'spaces'],
  ['/a\r\nhost: x', 'spaces'],
  ['/a\u0000', 'spaces'],
  ['/ä', 'spaces'],
  ['/a%0d%0ab', 'control'],
  ['/a%00', 'control'],
  ['/a%2500', 'control'],
  ['/%252525252525252e', 'too many'],
  ['/a%', '`%`'],
  ['/a%2', '`%`'],
  ['/a?%zz', '`%`'],
  [`/${'a'.repeat(16_384)}`, 'more than'],
])('%j is refused', (path, fault) => {
  expect(faultOfPath(path)).toContain(fault);
});

test('no path that is let through leaves what it is added to', () => {
  const piece = fc.constantFrom('/', '.', '..', '%2e', '%2E', '%252e', '%2f', '%5c', ';', 'a', '?');
  const path = fc.array(piece, { maxLength: 12 }).map((pieces) => `/${pieces.join('')}`);
  fc.assert(
    fc.property(path, (path) => {
      if (faultOfPath(path) !== undefined) return;
      for (let text = path; ; text = decodeURIComponent(text)) {
        const { origin, pathname } = new URL(`http://host/base/v1${text}`);
        expect([origin, pathname.startsWith('/base/v1')]).toEqual(['http://host', true]);
        if (!text.includes('%')) break;
      }
    }),
    { numRuns: 2_000 },
  );
});

import { expect, test } from 'vitest';
import { redactedSql } from './redacted-sql.ts';

test.each([
  ['SELECT name FROM users WHERE id = 42', 'select name from users where id = ?'],
  [`alter role app password 'open sesame' /* ticket 7 */`, 'alter role app password ?'],
  [
    `select $$secret$$, E'a\\'b', "Mixed Case".x from t -- why`,
    'select ?, ?, "Mixed Case".x from t',
  ],
  ['select f(a, 1.5e3), $1::int', 'select f (a, ?), $?::int'],
])('%s is logged as %s', (sql, shown) => {
  expect(redactedSql(sql)).toBe(shown);
});

test('a long text is cut', () => {
  expect(redactedSql(`select ${'a, '.repeat(10_000)} a`).length).toBeLessThan(510);
});

import fc from 'fast-check';

/** Injections as they are found in the wild, against a table `accounts` with a column `id`. */
export const classics = [
  "' or '1'='1",
  "' or 1=1 --",
  '" or ""="',
  "'; drop table accounts; --",
  '"; drop table accounts; --',
  'accounts; delete from accounts',
  'accounts"; update accounts set balance = 0; --',
  'accounts where 1=1; truncate accounts; --',
  'accounts" union select usename, passwd, 1 from pg_shadow --',
  "1) union all select current_setting('data_directory')--",
  'id; create table pwned (); --',
  'id" desc; create table pwned (); --',
  'id, (select pg_sleep(5))',
  '(case when (select count(*) from pg_shadow) > 0 then id else 1/0 end)',
  'id asc nulls first, pg_sleep(5)',
  'id) or exists (select pg_terminate_backend(pid) from pg_stat_activity',
  "1; select pg_read_file('/etc/passwd')",
  '$1; commit; drop schema public cascade; --',
  '$$; drop table accounts; $$',
  '/* x */ commit',
  "e'\\''; drop table accounts; --",
  'U&"\\0061ccounts"',
  'accounts\0; drop table accounts',
  '"public"."accounts"; drop table accounts',
  'public.accounts.id; drop table accounts',
  'pg_catalog.pg_class; drop table accounts',
  '\u02bc; drop table accounts; --',
  '\uff02; drop table accounts; --',
  '\ud800"; drop table accounts; --',
  'id\n; drop table accounts\n--',
  "%'; drop table accounts; --",
  '*',
  'count(*)',
  'accounts a, pg_shadow b',
  'xmin',
  'ctid',
  'tableoid',
  `${'a'.repeat(63)}"; drop table accounts; --`,
  `id${' '.repeat(5_000)}; drop table accounts`,
  ';',
  '--',
  '"',
  '""',
  '\\',
];

const signs = `" ' "" '' ; -- /* */ $1 $$ $x$ \\ . , ( ) = % ::`.split(' ');
const words = [
  'id',
  'name',
  'accounts',
  'public',
  'drop table accounts',
  'delete from accounts',
  'commit',
  'select pg_sleep(5)',
  'create table pwned ()',
  'union select',
  'or 1=1',
  'order by',
  'limit 1',
  'null',
];
/** NUL, signs that look like quotes, half a character, a change of direction. */
const odd = [' ', '\n', '\0', 'é', '\u02bc', '\ud800', '\u202e'];
const pieces = fc.array(fc.constantFrom(...signs, ...words, ...odd), {
  minLength: 1,
  maxLength: 10,
});

/** Generated hostile text. */
export const hostileText = fc.oneof(
  pieces.map((each) => each.join('')),
  pieces.map((each) => each.join(' ')),
  fc.string({ unit: 'binary', minLength: 1, maxLength: 40 }),
);

/** Those that PostgreSQL can store. */
export const storableClassics = classics.filter(
  (text) => !text.includes('\0') && text.isWellFormed(),
);

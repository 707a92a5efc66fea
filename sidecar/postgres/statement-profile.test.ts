import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { learn, profileOf, StatementProfiles } from './statement-profile.ts';

/** One statement a line; ␍ and ␊ stand for the ends of line in them. */
const statements = (text: string): readonly string[] =>
  text
    .trim()
    .split(/\n */)
    .map((line) => line.replaceAll('␍', '\r').replaceAll('␊', '\n'));

describe('a statement is never run when it is', () => {
  test.each(
    statements(`
      begin
      start transaction
      end-- x
      abort
      CoMmIt;
      COMMIT AND CHAIN
      commit prepared $$a$$
      Rollback Prepared x
      savepoint a
      release a
      rollback to a
      prepare transaction $$a$$
      prepare a as select 1
      execute a
      deallocate all
      discard all
      listen a
      unlisten *
      copy a from stdin
      copy (select 1) to stdout
      /* x */ commit
      /* /* */ select 1; */ commit
      /* ' */ commit -- '
      -- x␊commit
      -- x␍commit
      --␍commit
      ;commit
      ;;/**/ ; commit;
      \v\f commit
      (commit)`),
  )('%j', (sql) => {
    expect(profileOf(sql).refusal).toMatch(/^\S.*\S$/);
  });

  test.each([
    '',
    ...statements(`
      ;
      commits
      "commit"
      constructor
      explain commit
      select 1
      /* commit */ select 1
      /* /* */ commit */ select 1
      -- commit␊select 1
      select 'commit'
      select $$; commit $$
      select "commit" from t
      insert into commits values (1)
      do $$ begin commit; end $$
      set local a.b = 1`),
  ])('but not when it is %j', (sql) => {
    expect(profileOf(sql).refusal).toBeUndefined();
  });
});

test.each([
  ['set search_path = a', true],
  ['SET LOCAL search_path = a', true],
  ['/**/ reset all', true],
  ['declare c cursor for select 1', true],
  ['fetch 1 from c', true],
  ['move c', true],
  ['close c', true],
  ['select 1', false],
  ['show search_path', false],
  ['update t set a = 1', false],
])('outside a transaction, whether %j is refused: %s', (sql, refused) => {
  expect(profileOf(sql).autocommitRefusal !== undefined).toBe(refused);
});

describe('the session has to be reset after', () => {
  test.each(
    statements(`
      set a.b = 1
      ;set a.b = 1
      set session a.b = 1
      set session authorization x
      set session characteristics as transaction read only
      set role x
      set time zone local
      set local.b = 1
      set transaction.b = 1
      set constraints . b = 1
      set "local" = 1
      set local standard_conforming_strings = off
      reset all
      select set_config('a.b', 'c', false)
      select "set_config"('a.b', 'c', false)
      select pg_catalog.SET_CONFIG('a.b', 'c', false)
      select U&"\\0073et_config"('a.b', 'c', false)
      insert into t select set_config(a, b, c)
      select pg_advisory_lock(1)
      select "pg_advisory_lock"(1)
      select pg_try_advisory_lock_shared(1)
      select pg_advisory_unlock_all()
      explain analyze select pg_advisory_lock(1)
      create temp table t (a int)
      create or replace temp view v as select 1
      create table pg_temp.t (a int)
      create table "pg_temp".t (a int)
      create table t (a int)
      explain analyze create table t as select 1
      select 1 as a into pg_temp.t
      with x as (select 1) select 1 into t
      declare c cursor with hold for select 1
      declare c cursor WITH/**/HOLD for select 1
      declare c cursor for select pg_advisory_lock(1)
      load $$lib$$
      explain execute h1
      do $$ begin perform 1; end $$
      call p()
      select query_to_xml('select pg_advisory_lock(1)', true, true, '')
      select * from ts_stat('select 1')
      select E'a'␊'\\'', set_config('a.b', 'c', false) --'
      select E'a''\\'', set_config('a.b', 'c', false) --'
      select $💡$ ' $💡$, set_config('a.b', 'c', false) --'
      select 1a$$, set_config('a.b', 'c', false) --$$
      select 1_$$ into t --$$`),
  )('%j', (sql) => {
    expect(profileOf(sql)).toMatchObject({ dirties: true, reads: false });
  });

  test.each(
    statements(`
      select 1
      select 'create temp table'
      select temp from weather
      select hold from t
      select data ? 'a' from t
      select pg_advisory_xact_lock(1)
      insert into t values (1)
      merge into t using s on true when matched then delete
      with x as (insert into t values (1) returning a) select a from x
      update t set a = 1
      set local a.b = 1
      set local search_path = a
      set transaction read only
      set constraints all deferred
      declare c cursor for select 1
      declare c cursor without hold for select 1
      truncate t
      explain select 1
      alter table t add b int`),
  )('but not after %j', (sql) => {
    expect(profileOf(sql).dirties).toBe(false);
  });
});

describe('a statement only reads when it is', () => {
  test.each(
    statements(`
      select 1
      ;select 1;
      SELECT a FROM t WHERE id = $1
      (select 1) union (select 2)
      table t
      values (1), (2)
      with x as (select 1) select * from x
      /* update */ select 1
      select 'insert', "update", $$update$$, E'\\'; insert' from t
      select count(*), max(a) from t group by (b)
      select pg_catalog.count(*) from t
      select data->>'a' from t where (data @> $1::jsonb)
      select a[1], (b).c from t where a in (1, 2) and exists (select 1)
      select sum(a) over (partition by b) from t limit 5 offset (2)
      select cast(a as numeric(10,2)), b::varchar(5) from t
      select interval (1) $$1$$, now(), current_timestamp, -(1), 2*(3)`),
  )('%j', (sql) => {
    expect(profileOf(sql).reads).toBe(true);
  });

  test.each([
    '',
    ...statements(`
      show all
      do $$ $$
      insert into t values (1)
      update t set a = 1
      delete from t
      merge into t using s on true when matched then delete
      with x as (insert into t values (1) returning a) select a from x
      with x as (delete from t returning a) select a from x
      with x as (update t set a = 1) table x
      select a from t for update
      select a from t for no key update
      select a from t for share
      select a from t for key share
      select a from t limit 1for share
      table t for/**/share of t
      select 1 into t
      select 1into t
      select nextval('s')
      select pg_sleep(1)
      select my_function(1)
      select * from f(1)
      select "count"(*) from t
      select u&"f"(1)
      select app.round(1)
      select app . count (*) from t
      select app/**/./**/now()
      select f💡(1)
      select 💡(1)
      select ran\u212A(1)
      select pg_terminate_backend(1)
      select a from t where f(a)
      select count(*) from pg_advisory_xact_lock(1)
      explain analyze delete from t
      create table t (a int)`),
  ])('but not %j', (sql) => {
    expect(profileOf(sql).reads).toBe(false);
  });
});

const blank = fc.constantFrom(' ', '\n', '\t', '\f', '/* c */', '/* /* */ ; */', '-- c\n', '--\r');
const control = fc.constantFrom('begin', 'Start', 'COMMIT', 'eNd', 'rollback', 'abort', 'prepare');

test('no blank, comment or empty statement hides the end of a transaction', () => {
  const before = fc.array(fc.oneof(blank, fc.constant(';')), { maxLength: 6 });
  const after = fc.constantFrom('', ';', ' work', '/**/transaction', '--\rand chain');
  fc.assert(
    fc.property(before, control, after, (before, word, after) => {
      const { refusal, reads } = profileOf(before.join('') + word + after);
      expect([typeof refusal, reads]).toEqual(['string', false]);
    }),
    { numRuns: 500 },
  );
});

test('no literal hides a change of the session that stands beside it', () => {
  const unit = fc.constantFrom("'", '"', '\\', '$', '-', '/', '*', 'a', '\n', '💡', ';');
  const literal = fc
    .string({ unit })
    .chain((text) =>
      fc.constantFrom(
        `'${text.replaceAll("'", "''")}'`,
        `E'${text.replaceAll(/['\\]/g, '\\$&')}'`,
        `E'${text.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`,
        `$💡$${text.replaceAll('$', '')}$💡$`,
        `/*${text.replaceAll(/[/*]/g, '')}*/1`,
        `"${text.replaceAll('"', '""')}"`,
      ),
    );
  fc.assert(
    fc.property(fc.array(literal, { minLength: 1, maxLength: 5 }), (literals) => {
      const sql = `select ${literals.join(', ')}, set_config('a.b', 'c', false)`;
      expect(profileOf(sql)).toMatchObject({ dirties: true, reads: false });
    }),
    { numRuns: 1_000 },
  );
});

describe('what is known of a statement', () => {
  test('is shared by all calls with the same text, and outlives texts that are not used again', () => {
    const profiles = new StatementProfiles();
    const kept = profiles.of('select 0');
    for (let round = 0; round < 12; round += 1) {
      for (let other = 0; other < 1_000; other += 1) profiles.of(`select ${round}, ${other}`);
      expect(profiles.of('select 0')).toBe(kept);
    }
  });

  test('is forgotten for the text that was used longest ago', () => {
    const profiles = new StatementProfiles();
    const first = profiles.of('select 0');
    for (let other = 1; other <= 5_000; other += 1) profiles.of(`select ${other}`);
    expect(profiles.of('select 0')).not.toBe(first);
  });

  test('is not kept for a very long text', () => {
    const profiles = new StatementProfiles();
    const long = `select '${'x'.repeat(20_000)}'`;
    expect(profiles.of(long)).not.toBe(profiles.of(long));
    expect(profiles.of(long)).toMatchObject({ reads: true, uses: 0 });
  });

  test('includes how long it takes: at first the only measure, then an average that follows slowly', () => {
    const profile = profileOf('select 1');
    expect(profile).toMatchObject({ uses: 0, usualMs: Infinity });
    learn(profile, 8);
    expect(profile).toMatchObject({ uses: 1, usualMs: 8 });
    learn(profile, 16);
    expect(profile).toMatchObject({ uses: 2, usualMs: 9 });
  });
});

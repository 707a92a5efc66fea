import { describe, expect, test } from 'vitest';
import { PreparedStatements } from './prepared-statements.ts';
import { profileOf, type StatementProfile } from './statement-profile.ts';

/** A statement that has run before. */
const used = (sql: string): StatementProfile => ({ ...profileOf(sql), uses: 1 });

const evicted = (statements: PreparedStatements): readonly string[] => {
  const names: string[] = [];
  for (let name = statements.nextEvicted(); name !== undefined; name = statements.nextEvicted()) {
    names.push(name);
  }
  return names;
};

describe('a statement gets a name', () => {
  test('when it is seen the second time, and keeps it', () => {
    const statements = new PreparedStatements(256);
    expect(statements.add(profileOf('select 1'))).toBeUndefined();
    expect(statements.get('select 1')).toBeUndefined();
    const added = statements.add(used('select 1'));
    expect(statements.get('select 1')).toBe(added);
  });

  test('of its own', () => {
    const statements = new PreparedStatements(256);
    const names = Array.from(
      { length: 600 },
      (_, at) => statements.add(used(`select ${at}`))?.name,
    );
    expect(new Set(names).size).toBe(600);
    expect(names.filter((name) => name === undefined || name === '')).toEqual([]);
  });

  test('never for FETCH, whose columns are those of the cursor', () => {
    expect(new PreparedStatements(256).add(used('fetch 10 from c'))).toBeUndefined();
  });
});

test('a statement that the server has not confirmed is good for the exchange that prepares it, and no other', () => {
  const statements = new PreparedStatements(256);
  const added = statements.add(used('select 1'));
  if (added === undefined) throw new Error('it has no name');
  expect(statements.canUse(added)).toBe(true);
  statements.nextExchange();
  expect(statements.canUse(added)).toBe(false);
  added.confirmed = true;
  expect(statements.canUse(added)).toBe(true);
});

describe('of too many statements', () => {
  test('the one that was used longest ago goes, and is closed on the server once', () => {
    const statements = new PreparedStatements(256);
    const first = statements.add(used('select 0'));
    const second = statements.add(used('select 1'));
    for (let at = 2; at < 256; at += 1) statements.add(used(`select ${at}`));
    expect(evicted(statements)).toEqual([]);
    expect(statements.get('select 0')).toBe(first);
    statements.add(used('select 256'));
    expect(evicted(statements)).toEqual([second?.name]);
    expect(evicted(statements)).toEqual([]);
    expect(statements.get('select 1')).toBeUndefined();
    expect(statements.get('select 0')).toBe(first);
  });

  test('no more are kept than 256, however many come', () => {
    const statements = new PreparedStatements(256);
    let open = 0;
    for (let at = 0; at < 1_000; at += 1) {
      statements.add(used(`select ${at}`));
      open += 1 - evicted(statements).length;
      expect(open).toBeLessThanOrEqual(256);
    }
  });
});

describe('a statement is forgotten', () => {
  test('and closed on the server where that has it', () => {
    const statements = new PreparedStatements(256);
    const name = statements.add(used('select 1'))?.name;
    statements.forget('select 1', true);
    statements.forget('select 1', true);
    statements.forget('never seen', true);
    expect(statements.get('select 1')).toBeUndefined();
    expect(evicted(statements)).toEqual([name]);
  });

  test('without a word where the server never had it', () => {
    const statements = new PreparedStatements(256);
    statements.add(used('select 1'));
    statements.forget('select 1', false);
    expect(statements.get('select 1')).toBeUndefined();
    expect(evicted(statements)).toEqual([]);
  });

  test('with all others when the server has dropped them, and none of them is closed any more', () => {
    const statements = new PreparedStatements(256);
    statements.add(used('select 1'));
    statements.forget('select 1', true);
    const before = statements.add(used('select 2'))?.name;
    statements.clear();
    expect(evicted(statements)).toEqual([]);
    expect(statements.get('select 2')).toBeUndefined();
    expect(statements.add(used('select 2'))?.name).not.toBe(before);
  });
});

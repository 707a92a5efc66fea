import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { testDatabase } from '../../scripts/servers/test-database.ts';
import { aCall, beside, openDatabase, plainBegin, rejection } from './database.test-kit.ts';
import { fenceKit } from './fences.test-kit.ts';

const kit = fenceKit();

describe.each(['repeatable read', 'serializable'] as const)('%s', (isolation) => {
  test('holders work, and are fenced', async () => {
    const old = await kit.raise(kit.newLock());
    expect(await kit.works([old], { isolation })).toBe('committed');
    await kit.raise(old.lock);
    expect(await kit.works([old], { isolation })).toBe('FENCED');
  });

  test('a raise that comes in between is a serialization failure first, and fenced when it is tried again', async () => {
    const old = await kit.raise(kit.newLock());
    await kit.direct.query('begin');
    await kit.direct.query(`select holdfast.raise_fence($1, 'x', 0)`, [old.lock]);
    const meanwhile = kit.works([old], { isolation });
    await sleep(100);
    await kit.direct.query('commit');
    expect(await meanwhile).toBe('SERIALIZATION_FAILURE');
    expect(await kit.works([old], { isolation })).toBe('FENCED');
  });

  test('as the default of the role does not keep raises from meeting', async () => {
    const url = new URL(kit.url);
    const role = `strict_${isolation.replace(' ', '_')}`;
    url.username = role;
    url.password = 'strict';
    await kit.direct.query(
      `create role ${role} login password 'strict'; alter role ${role} set default_transaction_isolation = '${isolation}'`,
    );
    const strict = openDatabase(url.href);
    const lock = kit.newLock();
    const all = await Promise.all(
      Array.from({ length: 8 }, () => kit.raise(lock, 'exclusive', { on: strict })),
    );
    expect(new Set(all.map(({ value }) => value)).size).toBe(8);
    // It has no rights of its own.
    for (const sql of ['select * from holdfast.fences', `select nextval('holdfast.lock_tokens')`]) {
      const error = await rejection(strict.database.query({ sql, params: [] }, aCall()));
      expect(error.metadata).toMatchObject({ sqlstate: '42501' });
    }
    await strict.close();
    await kit.direct.query(`drop role ${role}`);
  });
});

test('rows of locks that nobody took for days go as new ones come; their last holders are fenced', async () => {
  const old = await kit.raise('long ago');
  const half = await kit.raise('half of it long ago');
  const other = await kit.raise('other half', 'shared');
  await kit.direct.query(
    `update holdfast.fences set touched_on = current_date - 3 where lock = 'long ago' or lock like 'half%' and mode = 's' or lock like 'other%' and mode = 'x'`,
  );
  await kit.raise(kit.newLock());
  expect(await kit.works([old])).toBe('FENCED');
  expect([await kit.works([half]), await kit.works([other])]).toEqual(['committed', 'committed']);
  const again = await kit.raise('long ago');
  expect(again.value).toBeGreaterThan(old.value);
  expect([await kit.works([old]), await kit.works([again])]).toEqual(['FENCED', 'committed']);
});

test('without the migration it says so', async () => {
  const bare = await testDatabase();
  await beside(bare.url, (client) => client.query('drop schema holdfast cascade'));
  const there = openDatabase(bare.url);
  expect(await rejection(kit.raise('a', 'exclusive', { on: there }))).toMatchObject({
    reason: 'MIGRATION_REQUIRED',
  });
  const fences = [{ lock: 'a', mode: 'exclusive', value: 1n }] as const;
  const transaction = there.database.begin({ ...plainBegin, fences }, aCall());
  expect(
    await rejection(transaction.query({ sql: 'select 1', params: [] }, aCall())),
  ).toMatchObject({ reason: 'MIGRATION_REQUIRED' });
  await there.close();
  await bare.drop();
});

test('a role that does not wait for the disk waits for it with a raise', async () => {
  await kit.direct.query('begin');
  await kit.direct.query('set local synchronous_commit = off');
  await kit.direct.query(`select holdfast.raise_fence('durable', 'x', 0)`);
  const { rows } = await kit.direct.query('show synchronous_commit');
  await kit.direct.query('rollback');
  expect(rows).toEqual([{ synchronous_commit: 'on' }]);
});

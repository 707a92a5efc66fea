import { expect, test } from 'vitest';
import { cancelled } from '../../platform/call.ts';
import { aCall, firstCells, rejection } from './database.test-kit.ts';
import { insert, sleep, transactionKit } from './transaction.test-kit.ts';

const kit = transactionKit();

test('what is done in it shows to others after its commit only', async () => {
  const transaction = kit.begin();
  await transaction.query(insert(1), aCall());
  expect(await kit.count()).toBe(0);
  await transaction.commit(aCall());
  expect(await kit.count()).toBe(1);
  kit.expectWhole();
});

test('work that is asked for without waiting runs in order', async () => {
  const transaction = kit.begin();
  const work = [
    transaction.query(insert(1), aCall()),
    transaction.batch([insert(2), insert(3)], aCall()),
    transaction.query({ sql: 'select count(*) from work', params: [] }, aCall()),
  ] as const;
  const commit = transaction.commit(aCall());
  expect(firstCells(await work[2])).toEqual(['3']);
  await commit;
  expect(await kit.count()).toBe(3);
});

test.each([
  ['serializable', true, true, 'serializable/on/on'],
  ['repeatable read', false, false, 'repeatable read/off/off'],
  ['read committed', true, false, 'read committed/on/off'],
] as const)(
  'runs %s, read only: %s, deferrable: %s',
  async (isolation, readOnly, deferrable, expected) => {
    const transaction = kit.begin({ isolation, readOnly, deferrable });
    const shown = `select current_setting('transaction_isolation') || '/' || current_setting('transaction_read_only') || '/' || current_setting('transaction_deferrable')`;
    expect(firstCells(await transaction.query({ sql: shown, params: [] }, aCall()))).toEqual([
      expected,
    ]);
    await transaction.rollback();
  },
);

test('one that was given nothing to do ends without a word to the server', async () => {
  const before = await kit.count();
  await kit.begin().commit(aCall());
  await kit.begin().rollback();
  expect(await kit.count()).toBe(before);
  kit.expectWhole();
});

test('after a failed statement everything fails until a savepoint is rolled back to', async () => {
  const transaction = kit.begin();
  await transaction.query(insert(1), aCall());
  await transaction.control('SAVEPOINT "s"', aCall());
  expect(await rejection(transaction.query(insert(1), aCall()))).toMatchObject({
    kind: 'already-exists',
  });
  expect(await rejection(transaction.query(insert(2), aCall()))).toMatchObject({
    metadata: { sqlstate: '25P02' },
  });
  await transaction.control('ROLLBACK TO SAVEPOINT "s"', aCall());
  await transaction.query(insert(3), aCall());
  await transaction.commit(aCall());
  expect(await kit.count()).toBe(2);
});

test('a statement cancelled by its caller leaves a failed transaction, and a usable savepoint', async () => {
  const transaction = kit.begin();
  await transaction.control('SAVEPOINT "s"', aCall());
  const call = aCall();
  const long = rejection(transaction.query({ sql: 'select pg_sleep(30)', params: [] }, call));
  await sleep(100);
  call.end(cancelled());
  expect(await long).toMatchObject({ reason: 'CANCELLED' });
  await transaction.control('ROLLBACK TO SAVEPOINT "s"', aCall());
  await transaction.query(insert(1), aCall());
  await transaction.commit(aCall());
  expect(await kit.count()).toBe(1);
});

test('without a connection to be had it fails, and so does what was asked of it', async () => {
  await kit.reopen({ max: 1, acquireTimeoutMs: 100 });
  const first = kit.begin();
  await first.started();
  const second = kit.begin();
  const work = rejection(second.query(insert(1), aCall()));
  expect(await rejection(second.started())).toMatchObject({ reason: 'POOL_EXHAUSTED' });
  expect(await work).toMatchObject({ reason: 'POOL_EXHAUSTED' });
  await first.rollback();
  expect(await kit.count()).toBe(0);
});

test.each(['call commits()', 'do $$ begin commit; end $$', `do 'begin execute ''commit''; end'`])(
  'its end cannot be smuggled in by `%s`',
  async (sql) => {
    const transaction = kit.begin();
    await transaction.query(insert(1), aCall());
    expect(await rejection(transaction.query({ sql, params: [] }, aCall()))).toMatchObject({
      reason: 'DATABASE_ERROR',
    });
    await rejection(transaction.commit(aCall()));
    expect(await kit.count()).toBe(0);
  },
);

test('a conflict between two serializable ones is told with a time to try again', async () => {
  await kit.query(insert(1));
  const [one, two] = [
    kit.begin({ isolation: 'serializable' }),
    kit.begin({ isolation: 'serializable' }),
  ];
  for (const each of [one, two]) {
    await each.query({ sql: 'select count(*) from work', params: [] }, aCall());
  }
  await one.query(insert(2), aCall());
  await two.query(insert(3), aCall());
  await one.commit(aCall());
  expect(await rejection(two.commit(aCall()))).toMatchObject({
    kind: 'conflict',
    reason: 'SERIALIZATION_FAILURE',
    retryAfterMs: 10,
  });
});

import { describe, expect, test } from 'vitest';
import { cancelled, deadlineExceeded } from '../../platform/call.ts';
import { aCall, rejection } from './database.test-kit.ts';
import { insert, sleep, transactionKit } from './transaction.test-kit.ts';

const kit = transactionKit();

describe('a commit', () => {
  test('of a failed transaction is told as a rollback', async () => {
    const transaction = kit.begin();
    await transaction.query(insert(1), aCall());
    await rejection(transaction.query({ sql: 'select 1/0', params: [] }, aCall()));
    expect(await rejection(transaction.commit(aCall()))).toMatchObject({
      kind: 'conflict',
      reason: 'TRANSACTION_ROLLED_BACK',
    });
    expect(await kit.count()).toBe(0);
    kit.expectWhole();
  });

  test('that a deferred constraint refuses is told as that', async () => {
    const transaction = kit.begin();
    await transaction.batch([insert(1, 'checked'), insert(1, 'checked')], aCall());
    expect(await rejection(transaction.commit(aCall()))).toMatchObject({
      kind: 'already-exists',
      metadata: { sqlstate: '23505' },
    });
    expect(await kit.count('checked')).toBe(0);
  });

  test('is not cancelled by its caller', async () => {
    const transaction = kit.begin();
    await transaction.query(insert(1, 'slow_commit'), aCall());
    const call = aCall();
    const commit = transaction.commit(call);
    await sleep(100);
    call.end(cancelled());
    transaction.abort(cancelled());
    await commit;
    expect(await kit.count('slow_commit')).toBe(1);
    kit.expectWhole();
  });

  test('at its deadline is answered with COMMIT_UNKNOWN, goes on, and nothing runs behind it', async () => {
    const transaction = kit.begin();
    await transaction.query(insert(1, 'slow_commit'), aCall());
    const call = aCall();
    const commit = rejection(transaction.commit(call));
    const behind = rejection(transaction.query(insert(2), aCall()));
    await sleep(100);
    call.end(deadlineExceeded());
    expect(await commit).toMatchObject({ kind: 'unknown-outcome', reason: 'COMMIT_UNKNOWN' });
    expect(await behind).toMatchObject({ reason: 'UNKNOWN_TRANSACTION' });
    await sleep(1_000);
    expect([await kit.count('slow_commit'), await kit.count()]).toEqual([1, 0]);
    kit.expectWhole();
  });

  test('whose connection is cut is asked of the server', async () => {
    const transaction = kit.begin();
    await transaction.query(insert(1, 'slow_commit'), aCall());
    const commit = rejection(transaction.commit(aCall()));
    await sleep(200);
    await kit.cut('COMMIT');
    expect(await commit).toMatchObject({ kind: 'conflict', reason: 'TRANSACTION_ROLLED_BACK' });
    expect(await kit.count('slow_commit')).toBe(0);
    kit.expectWhole();
  });

  test('of a read-only transaction whose connection is cut lost nothing', async () => {
    const transaction = kit.begin({ readOnly: true });
    await transaction.query({ sql: 'select 1', params: [] }, aCall());
    await kit.cutSession();
    expect(await rejection(transaction.commit(aCall()))).toMatchObject({
      reason: 'TRANSACTION_ROLLED_BACK',
    });
  });
});

describe('it is rolled back', () => {
  test('by its caller', async () => {
    const transaction = kit.begin();
    await transaction.query(insert(1), aCall());
    await transaction.rollback();
    await kit.expectNothing();
    expect(await rejection(transaction.query(insert(2), aCall()))).toMatchObject({
      reason: 'TRANSACTION_ROLLED_BACK',
    });
    expect(kit.aborted).toEqual([]);
  });

  test('when it is idle for too long', async () => {
    const transaction = kit.begin({ idleTimeoutMs: 100 });
    await transaction.query(insert(1), aCall());
    await sleep(200);
    expect(kit.aborted).toMatchObject([{ reason: 'IDLE_IN_TRANSACTION_TIMEOUT' }]);
    expect(await rejection(transaction.commit(aCall()))).toMatchObject({
      reason: 'IDLE_IN_TRANSACTION_TIMEOUT',
    });
    await kit.expectNothing();
  });

  test('when it takes too long, the statement that runs included', async () => {
    const transaction = kit.begin({ timeoutMs: 200 });
    await transaction.query(insert(1), aCall());
    expect(
      await rejection(transaction.query({ sql: 'select pg_sleep(30)', params: [] }, aCall())),
    ).toMatchObject({ reason: 'TRANSACTION_TIMEOUT' });
    await kit.expectNothing();
  });

  test('when it is aborted from outside, with all that is queued', async () => {
    const transaction = kit.begin();
    const reason = cancelled();
    const work = [insert(1), { sql: 'select pg_sleep(30)', params: [] }, insert(2)].map((each) =>
      transaction.query(each, aCall()),
    );
    const results = Promise.allSettled(work);
    await sleep(200);
    transaction.abort(reason);
    expect((await results).map(({ status }) => status)).toEqual([
      'fulfilled',
      'rejected',
      'rejected',
    ]);
    await kit.expectNothing();
  });

  test('when it is aborted before it has a connection', async () => {
    const others = [kit.begin(), kit.begin()];
    await Promise.all(others.map((each) => each.started()));
    const third = kit.begin();
    const started = rejection(third.started());
    third.abort(cancelled());
    await Promise.all(others.map((each) => each.rollback()));
    expect(await started).toMatchObject({ kind: 'cancelled' });
    await kit.expectNothing();
  });

  test('when its connection is cut while it is idle', async () => {
    const transaction = kit.begin();
    await transaction.query(insert(1), aCall());
    await kit.cutSession();
    await sleep(100);
    expect(kit.aborted).toMatchObject([{ reason: 'TRANSACTION_ROLLED_BACK' }]);
    await kit.expectNothing();
  });

  test('when its connection is cut while it works', async () => {
    const transaction = kit.begin();
    await transaction.query(insert(1), aCall());
    const work = rejection(transaction.query({ sql: 'select pg_sleep(30)', params: [] }, aCall()));
    await sleep(100);
    await kit.cutSession();
    expect(await work).toMatchObject({ reason: 'TRANSACTION_ROLLED_BACK' });
    expect(kit.aborted).toHaveLength(1);
    await kit.expectNothing();
  });
});

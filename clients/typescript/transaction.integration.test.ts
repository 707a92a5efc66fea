import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type TestDatabase, testDatabase } from '../../scripts/servers/test-database.ts';
import { startSidecar, type TestSidecar } from '../../sidecar/sidecar.test-kit.ts';
import { connect, type Database, type Holdfast } from './index.ts';

let database: TestDatabase;
let sidecar: TestSidecar;

beforeAll(async () => {
  database = await testDatabase();
  sidecar = await startSidecar({ databaseUrl: database.url, postgres: { pool: { max: 4 } } });
});

afterAll(async () => {
  await sidecar.stop();
  await database.drop();
});

describe.each(['session', 'unary'] as const)('over %s', (transport) => {
  let holdfast: Holdfast;
  let db: Database;
  const table = `accounts_${transport}`;
  const ids = async (): Promise<unknown[]> => {
    const { rows } = await db.query(`select id from ${table} order by id`, [], {
      rowMode: 'array',
    });
    return rows.flat();
  };

  beforeAll(async () => {
    holdfast = connect({ address: sidecar.address, transport });
    db = holdfast.database();
    await db.query(`create table ${table} (id int4 primary key deferrable initially deferred)`);
  });

  afterAll(() => holdfast.close());

  const insert = `insert into ${table} values ($1)`;

  test('a commit keeps, a rollback and a forgotten end undo', async () => {
    const kept = await db.begin();
    await kept.query(insert, [1]);
    await kept.commit();
    const undone = await db.begin();
    await undone.query(insert, [2]);
    await undone.rollback();
    {
      await using forgotten = await db.begin();
      await forgotten.query(insert, [3]);
    }
    expect(await ids()).toEqual([1]);
    await db.query(`delete from ${table}`);
  });

  test('the options of Begin reach the server', async () => {
    await using tx = await db.begin({
      isolation: 'serializable',
      readOnly: true,
      deferrable: true,
    });
    const { rows } = await tx.query(
      "select current_setting('transaction_isolation') as level, current_setting('transaction_read_only') as ro, current_setting('transaction_deferrable') as d",
    );
    expect(rows).toEqual([{ level: 'serializable', ro: 'on', d: 'on' }]);
    await expect(tx.query(insert, [1])).rejects.toMatchObject({ sqlstate: '25006' });
    await expect(db.begin({ deferrable: true })).rejects.toMatchObject({
      reason: 'INVALID_REQUEST',
    });
  });

  test('statements, savepoints, batches and cursors without waiting in between', async () => {
    const tx = db.beginPipelined();
    const work = [
      tx.query(insert, [1]),
      tx.savepoint('before "it"'),
      tx.query('select 1/0').catch((error: unknown) => error),
    ] as const;
    const [, savepoint, error] = await Promise.all(work);
    expect(error).toMatchObject({ sqlstate: '22012' });
    await expect(tx.query(insert, [2])).rejects.toMatchObject({ sqlstate: '25P02' });
    await savepoint.rollback();
    await savepoint.release();
    const results = await tx.batch([
      { sql: insert, params: [3] },
      { sql: `select count(*)::int4 as n from ${table}` },
    ]);
    expect(results[1]?.rows).toEqual([{ n: 2 }]);
    await tx.query('declare c cursor for select generate_series(1, 5) as g');
    const [first, second, end] = await Promise.all([
      tx.fetch('c', 3),
      tx.fetch<[number]>('c', 3, { rowMode: 'array' }),
      tx.fetch('c', 3),
    ]);
    expect(first.rows).toEqual([{ g: 1 }, { g: 2 }, { g: 3 }]);
    expect(second.rows).toEqual([[4], [5]]);
    expect(end.rows).toEqual([]);
    await tx.commit();
    expect(await ids()).toEqual([1, 3]);
    await db.query(`delete from ${table}`);
  });

  test('a commit that the database turns down says that all is undone', async () => {
    const tx = await db.begin();
    await tx.query(`${insert}, ($1)`, [7]);
    await expect(tx.commit()).rejects.toMatchObject({ sqlstate: '23505' });
    expect(tx.isOver).toBe(true);
    expect(await ids()).toEqual([]);
    const failed = await db.begin();
    await failed.query('select 1/0').catch(() => {});
    await expect(failed.commit()).rejects.toMatchObject({ reason: 'TRANSACTION_ROLLED_BACK' });
  });

  test('a Begin that fails runs nothing of what follows', async () => {
    const tx = holdfast.database('nowhere').beginPipelined();
    const all = await Promise.allSettled([tx.begun, tx.query(insert, [9]), tx.commit()]);
    for (const each of all) {
      expect(each).toMatchObject({ status: 'rejected', reason: { reason: 'UNKNOWN_POOL' } });
    }
    expect(await ids()).toEqual([]);
  });

  test('a transaction that has had its time is over', async () => {
    await using tx = await db.begin({ timeoutMs: 100 });
    await expect(tx.query('select pg_sleep(5)')).rejects.toMatchObject({
      reason: 'TRANSACTION_TIMEOUT',
    });
    await expect(tx.query('select 1')).rejects.toMatchObject({
      reason: expect.any(String) as string,
    });
  });

  test('two hundred transactions at a time on four connections', async () => {
    await Promise.all(
      Array.from({ length: 200 }, (_, index) =>
        db.transaction(async (tx) => {
          await tx.query(insert, [1_000 + index]);
          if (index % 2 === 1) await tx.rollback();
        }),
      ),
    );
    expect(await ids()).toEqual(Array.from({ length: 100 }, (_, index) => 1_000 + 2 * index));
    await db.query(`delete from ${table}`);
  });
});

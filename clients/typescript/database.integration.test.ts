import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type TestDatabase, testDatabase } from '../../scripts/servers/test-database.ts';
import { startSidecar, type TestSidecar } from '../../sidecar/sidecar.test-kit.ts';
import { connect, type Database, type Holdfast, HoldfastError } from './index.ts';

let database: TestDatabase;
let sidecar: TestSidecar;

beforeAll(async () => {
  database = await testDatabase();
  sidecar = await startSidecar({ databaseUrl: database.url });
});

afterAll(async () => {
  await sidecar.stop();
  await database.drop();
});

describe.each(['session', 'unary'] as const)('over %s', (transport) => {
  let holdfast: Holdfast;
  let db: Database;
  const table = `things_${transport}`;

  beforeAll(async () => {
    holdfast = connect({ address: sidecar.address, transport });
    db = holdfast.database();
    await db.query(`create table ${table} (id int4 primary key, name text not null)`);
  });

  afterAll(() => holdfast.close());

  test('a query gives rows, columns, the count and the command', async () => {
    const result = await db.query('select $1::int4 as a, $2::text as b', [1, 'x']);
    expect(result).toEqual({
      rows: [{ a: 1, b: 'x' }],
      columns: [
        { name: 'a', typeOid: 23, typeModifier: -1 },
        { name: 'b', typeOid: 25, typeModifier: -1 },
      ],
      rowsAffected: 1,
      command: 'SELECT',
    });
    const inserted = await db.query(
      `insert into ${table} select g, 'n' from generate_series(1, 7) g`,
    );
    expect(inserted).toEqual({ rows: [], columns: [], rowsAffected: 7, command: 'INSERT' });
    const arrays = await db.query<[number, null]>('select 1, null', [], { rowMode: 'array' });
    expect(arrays.rows).toEqual([[1, null]]);
    const empty = await db.query('select');
    expect(empty).toMatchObject({ rows: [{}], columns: [] });
  });

  test('a large result comes whole', async () => {
    const { rows } = await db.query(
      "select g, repeat('x', 200) as filler from generate_series(1, 20000) g",
    );
    expect(rows).toHaveLength(20_000);
    expect(rows.every(({ g }, index) => g === index + 1)).toBe(true);
  });

  test('an error of the database tells its SQLSTATE, constraint and pool', async () => {
    await db.query(`insert into ${table} values (100, 'a')`);
    const again = db.query(`insert into ${table} values (100, 'b')`);
    await expect(again).rejects.toBeInstanceOf(HoldfastError);
    await expect(again).rejects.toMatchObject({
      reason: 'DATABASE_ERROR',
      sqlstate: '23505',
      target: 'default',
      metadata: { constraint: `${table}_pkey`, table },
    });
  });

  test('a pool that the policy does not name is an error', async () => {
    await expect(holdfast.database('nowhere').query('select 1')).rejects.toMatchObject({
      code: 'NOT_FOUND',
      reason: 'UNKNOWN_POOL',
    });
  });

  test('a batch gives an outcome for each statement; an atomic one is all or nothing', async () => {
    const statements = [
      { sql: `insert into ${table} values ($1, $2)`, params: [200, 'a'] },
      { sql: 'select 1/0' },
      { sql: `insert into ${table} values ($1, $2)`, params: [201, 'b'] },
    ];
    await expect(db.batch(statements, { atomic: true })).rejects.toMatchObject({
      sqlstate: '22012',
    });
    const count = `select count(*) from ${table} where id in (200, 201)`;
    expect((await db.query(count)).rows).toEqual([{ count: 0n }]);
    const [first, failed, last] = await db.batch(statements);
    expect(first).toMatchObject({ rowsAffected: 1 });
    expect(failed).toMatchObject({ sqlstate: '22012' });
    expect(last).toMatchObject({ command: 'INSERT' });
    expect((await db.query(count)).rows).toEqual([{ count: 2n }]);
  });

  test('a page has the rows, the fields and the order that were asked for', async () => {
    const pages = `pages_${transport}`;
    await db.query(`create table ${pages} (id int4 primary key, kind text, at timestamptz)`);
    await db.query(
      `insert into ${pages} select g, case when g % 2 = 0 then 'even' end, now() from generate_series(1, 10) g`,
    );
    const page = await db.page<{ id: number; kind: string | null }>({
      table: pages,
      fields: ['kind', 'id'],
      filters: [
        { column: 'id', operator: '>', value: 2 },
        { column: 'id', operator: 'in', values: [1, 3, 4, 6, 8, 9] },
        { column: 'at', operator: 'is not null' },
      ],
      sort: [
        { column: 'kind', nulls: 'first' },
        { column: 'id', descending: true },
      ],
      page: 2,
      pageSize: 3,
      withTotal: true,
    });
    expect(page).toMatchObject({ page: 2, pageSize: 3, hasMore: false, total: 5 });
    expect(page.columns.map(({ name }) => name)).toEqual(['kind', 'id']);
    expect(page.rows).toEqual([
      { kind: 'even', id: 6 },
      { kind: 'even', id: 4 },
    ]);
    await expect(db.page({ table: `${pages}; drop table x` })).rejects.toMatchObject({
      reason: 'UNKNOWN_IDENTIFIER',
    });
  });

  test('a stream gives all rows, and ends early when nobody wants more', async () => {
    let sum = 0;
    const rows = db.stream<{ g: number }>('select g from generate_series(1, $1) g', [10_000], {
      maxRows: 100,
    });
    for await (const { g } of rows) sum += g;
    expect(sum).toBe(50_005_000);

    const endless = 'select generate_series(1, 100000000)';
    const seen: unknown[] = [];
    for await (const row of db.stream<[number]>(endless, [], { rowMode: 'array' })) {
      seen.push(row);
      if (seen.length === 3) break;
    }
    expect(seen).toEqual([[1], [2], [3]]);
  });

  test('a stream ends with its signal, and with the error of its query', async () => {
    const controller = new AbortController();
    const read = async (sql: string): Promise<void> => {
      for await (const _ of db.stream(sql, [], { signal: controller.signal })) controller.abort();
    };
    await expect(read('select generate_series(1, 100000000)')).rejects.toMatchObject({
      reason: 'CANCELLED',
    });
    await expect(read('select 1')).rejects.toMatchObject({ reason: 'CANCELLED' });
    const failing = db.stream('select 1 / (3 - g) from generate_series(1, 5) g');
    await expect(failing.next()).rejects.toMatchObject({ sqlstate: '22012' });
  });

  test('the outcome of work with a commit_id is known', async () => {
    const ids = [randomUUID(), randomUUID(), randomUUID(), randomUUID()] as const;
    await db.query('select 1', [], { commitId: ids[0] });
    await db.batch([{ sql: 'select 1' }], { atomic: true, commitId: ids[1] });
    await db.transaction((tx) => tx.query('select 1'), { commitId: ids[2] });
    expect(await Promise.all(ids.map((id) => db.outcome(id)))).toEqual([
      'committed',
      'committed',
      'committed',
      'rolled back',
    ]);
    for (const commitId of [ids[2], ids[3]]) {
      await expect(
        db.transaction((tx) => tx.query('select 1'), { commitId }),
      ).rejects.toMatchObject({ code: 'ALREADY_EXISTS', reason: 'COMMIT_ID_USED' });
    }
  });

  test('a commit_id where none belongs is refused', async () => {
    const commitId = randomUUID();
    const refused = { code: 'INVALID_ARGUMENT', reason: 'INVALID_REQUEST' };
    const over = 'x'.repeat(129);
    await expect(db.query('select 1', [], { commitId: over })).rejects.toMatchObject(refused);
    await expect(db.batch([{ sql: 'select 1' }], { commitId })).rejects.toMatchObject(refused);
    await expect(db.begin({ readOnly: true, commitId })).rejects.toMatchObject(refused);
    await expect(db.outcome('')).rejects.toMatchObject(refused);
    expect(await db.outcome(commitId)).toBe('rolled back');
  });

  test('a statement that is given up is gone from the server within a second', async () => {
    const mark = `given up over ${transport}`;
    const controller = new AbortController();
    const sleeping = db.query(`select pg_sleep(20) /* ${mark} */`, [], {
      signal: controller.signal,
    });
    const late = db.query(`select pg_sleep(20) /* ${mark} */`, [], { deadlineMs: 500 });
    const settled = Promise.allSettled([sleeping, late]);
    const running = `select count(*)::int4 as n from pg_stat_activity
      where state = 'active' and query like '%' || $1 || '%' and pid <> pg_backend_pid()`;
    await until(async () => (await db.query(running, [mark])).rows[0]?.['n'] === 2);
    controller.abort();
    expect(await settled).toMatchObject([
      { reason: { code: 'CANCELLED' } },
      { reason: { code: 'DEADLINE_EXCEEDED' } },
    ]);
    await until(async () => (await db.query(running, [mark])).rows[0]?.['n'] === 0);
  });
});

/** Waits until it holds, at most a second. */
async function until(holds: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + 1_000;
  while (!(await holds())) {
    expect(performance.now()).toBeLessThan(end);
  }
}

test('over TCP the token is needed, and taken', async () => {
  const { tcpAddress: address, token } = sidecar;
  for (const transport of ['session', 'unary'] as const) {
    await using stranger = connect({ address, transport });
    await expect(stranger.database().query('select 1')).rejects.toMatchObject({
      code: 'UNAUTHENTICATED',
      reason: 'TOKEN_REQUIRED',
    });
    await using friend = connect({ address, token, transport });
    await expect(friend.database().query('select 1 as one')).resolves.toMatchObject({
      rows: [{ one: 1 }],
    });
  }
});

import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { testDatabase, type TestDatabase } from '../../scripts/servers/test-database.ts';
import {
  aCall,
  beside,
  openDatabase,
  plainBegin,
  rejection,
  type TestPool,
} from './database.test-kit.ts';
import type { Transaction } from './transaction.ts';

let server: TestDatabase;
let pool: TestPool;
beforeAll(async () => {
  server = await testDatabase();
  await beside(server.url, (client) => client.query('create table work (id int primary key)'));
  pool = openDatabase(server.url);
});
afterAll(async () => {
  await pool.close();
  await server.drop();
});

const begin = (commitId: string): Transaction =>
  pool.database.begin({ ...plainBegin, commitId }, aCall());
const insert = (id: number) => ({ sql: 'insert into work values ($1)', params: [`${id}`] });
const count = (id: number): Promise<number> =>
  beside(server.url, async (client) => {
    const { rows } = await client.query<{ count: string }>(
      'select count(*) from work where id = $1',
      [id],
    );
    return Number(rows[0]?.count);
  });
const outcome = (commitId: string): Promise<string> => pool.database.outcome(commitId, aCall());

describe('Outcome', () => {
  test('of work that was committed, each way', async () => {
    const [one, two, three] = [randomUUID(), randomUUID(), randomUUID()];
    await pool.database.query(insert(1), aCall(), { commitId: one });
    await pool.database.atomicBatch([insert(2), insert(3)], aCall(), { commitId: two });
    const transaction = begin(three);
    await transaction.query(insert(4), aCall());
    await transaction.commit(aCall());
    expect(await Promise.all([one, two, three].map(outcome))).toEqual([
      'committed',
      'committed',
      'committed',
    ]);
    expect(await outcome(one)).toBe('committed');
  });

  test('of work that failed is rolled back', async () => {
    const commitId = randomUUID();
    const failed = pool.database.query({ sql: 'select 1/0', params: [] }, aCall(), { commitId });
    expect(await rejection(failed)).toMatchObject({ metadata: { sqlstate: '22012' } });
    expect(await outcome(commitId)).toBe('rolled-back');
  });

  test('bars what has not been committed by then', async () => {
    const commitId = randomUUID();
    expect(await outcome(commitId)).toBe('rolled-back');
    const late = pool.database.query(insert(10), aCall(), { commitId });
    expect(await rejection(late)).toMatchObject({
      kind: 'already-exists',
      reason: 'COMMIT_ID_USED',
    });
    expect(await outcome(commitId)).toBe('rolled-back');
    expect(await count(10)).toBe(0);
  });

  test('waits for work that is still open', async () => {
    for (const ends of ['commit', 'rollback'] as const) {
      const commitId = randomUUID();
      const transaction = begin(commitId);
      await transaction.query({ sql: 'select 1', params: [] }, aCall());
      let told: string | undefined;
      const asked = outcome(commitId).then((answer) => (told = answer));
      await new Promise((resolve) => setTimeout(resolve, 100));
      expect(told).toBeUndefined();
      await (ends === 'commit' ? transaction.commit(aCall()) : transaction.rollback());
      expect(await asked).toBe(ends === 'commit' ? 'committed' : 'rolled-back');
    }
  });

  test('asked by many at once is the same for all', async () => {
    const commitId = randomUUID();
    const work = pool.database.query(insert(20), aCall(), { commitId }).then(
      () => 'committed',
      () => 'rolled-back',
    );
    const answers = await Promise.all(Array.from({ length: 20 }, () => outcome(commitId)));
    expect(new Set([...answers, await work]).size).toBe(1);
  });
});

describe('a commit_id', () => {
  test('that was committed is not committed again', async () => {
    const commitId = randomUUID();
    await pool.database.query(insert(30), aCall(), { commitId });
    const again = begin(commitId);
    const work = rejection(again.query(insert(31), aCall()));
    const commit = rejection(again.commit(aCall()));
    expect(await work).toMatchObject({ reason: 'COMMIT_ID_USED' });
    expect(await commit).toMatchObject({ reason: 'COMMIT_ID_USED' });
    expect(await count(31)).toBe(0);
  });

  test('of two that run at once is committed by one of them', async () => {
    const commitId = randomUUID();
    const results = await Promise.allSettled(
      [40, 41].map((id) => pool.database.query(insert(id), aCall(), { commitId })),
    );
    expect(results.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    expect((await count(40)) + (await count(41))).toBe(1);
  });

  test('marks a transaction that did nothing, too', async () => {
    const commitId = randomUUID();
    await begin(commitId).commit(aCall());
    expect(await outcome(commitId)).toBe('committed');
    expect(await rejection(begin(commitId).commit(aCall()))).toMatchObject({
      reason: 'COMMIT_ID_USED',
    });
    await expect.poll(() => pool.database.pool.counts.lent).toBe(0);
  });

  test('needs the table', async () => {
    const bare = await testDatabase();
    await beside(bare.url, (client) => client.query('drop table holdfast.commits'));
    const other = openDatabase(bare.url);
    const query = other.database.query({ sql: 'select 1', params: [] }, aCall(), { commitId: 'x' });
    const outcomeFails = rejection(other.database.outcome('x', aCall()));
    for (const failure of [rejection(query), outcomeFails]) {
      expect(await failure).toMatchObject({
        kind: 'precondition',
        reason: 'MIGRATION_REQUIRED',
        message: expect.stringContaining('holdfast migrate') as string,
      });
    }
    await other.close();
    await bare.drop();
  });

  test('may be used by a role that has no other right to the schema', async () => {
    await beside(server.url, (client) =>
      client.query(`create role commits_app login password 'app'`),
    );
    const url = new URL(server.url);
    url.username = 'commits_app';
    url.password = 'app';
    const other = openDatabase(url.href);
    const commitId = randomUUID();
    await other.database.query({ sql: 'select 1', params: [] }, aCall(), { commitId });
    expect(await other.database.outcome(commitId, aCall())).toBe('committed');
    await other.close();
    await beside(server.url, (client) => client.query('drop role commits_app'));
  });
});

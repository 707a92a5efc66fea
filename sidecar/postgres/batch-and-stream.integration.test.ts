import { describe, expect, test, vi } from 'vitest';
import { cancelled } from '../../platform/call.ts';
import { HoldfastError } from '../../platform/errors.ts';
import { aCall, firstCells, rejection, serverSessions } from './database.test-kit.ts';
import { itemsKit, sleep } from './items.test-kit.ts';

const kit = itemsKit();
const { run } = kit;

describe('a batch', () => {
  const insert = (id: number) => ({
    sql: "insert into items values ($1, 'batch')",
    params: [`${id}`],
  });
  const count = async (): Promise<string | null | undefined> =>
    firstCells(await run(`select count(*) from items where name = 'batch'`))[0];

  test('that is atomic leaves nothing when one statement fails, and names it', async () => {
    const error = await rejection(
      kit.database.atomicBatch([insert(2_001), insert(2_002), insert(1), insert(2_003)], aCall()),
    );
    expect(error).toMatchObject({
      kind: 'already-exists',
      metadata: { sqlstate: '23505', statement: '2', constraint: 'items_pkey' },
    });
    expect(await count()).toBe('0');
  });

  test('that is atomic fails when its commit does', async () => {
    const twice = { sql: 'insert into checked values (1)', params: [] };
    expect(await rejection(kit.database.atomicBatch([twice, twice], aCall()))).toMatchObject({
      kind: 'already-exists',
    });
    expect(firstCells(await run('select count(*) from checked'))).toEqual(['0']);
  });

  test('that is atomic commits nothing when its results are too large', async () => {
    const large = { sql: `select repeat('x', 20000000)`, params: [] };
    expect(
      await rejection(kit.database.atomicBatch([insert(2_101), large], aCall())),
    ).toMatchObject({ reason: 'RESULT_TOO_LARGE' });
    expect(await count()).toBe('0');
  });

  test('that is atomic survives columns that changed since it was prepared', async () => {
    await run('create table batched (a int)');
    const all = { sql: 'select * from batched', params: [] };
    for (let time = 0; time < 8; time += 1) await kit.database.atomicBatch([all], aCall());
    await run('alter table batched add b int');
    const results = await Promise.all(
      Array.from({ length: 8 }, () => kit.database.atomicBatch([all], aCall())),
    );
    expect(results).toHaveLength(8);
  });

  test('that is not atomic runs each statement, whatever becomes of the others', async () => {
    const results = await kit.database.looseBatch(
      [insert(3_001), insert(1), insert(3_002)],
      aCall(),
    );
    expect(results.map((result) => result instanceof HoldfastError)).toEqual([false, true, false]);
    expect(await count()).toBe('2');
  });

  test('that is not atomic goes no further when its call ends', async () => {
    const call = aCall();
    const wait = { sql: 'select pg_sleep(30)', params: [] };
    const many = Array.from({ length: 100 }, (_, at) => insert(4_000 + at));
    const results = kit.database.looseBatch([wait, ...many], call);
    setTimeout(() => call.end(cancelled()), 100);
    const outcomes = await results;
    expect(outcomes).toHaveLength(101);
    expect(outcomes.at(-1)).toMatchObject({ reason: 'CANCELLED' });
    const [found] = firstCells(
      await run('select count(*) from items where id between 4000 and 4099'),
    );
    expect(Number(found)).toBeLessThan(16);
  });

  test('that is not atomic says of a statement whose table changed that it may be sent again', async () => {
    await run('create table loose (a int)');
    const all = { sql: 'select * from loose', params: [] };
    kit.database.pool.resize({ ...kit.database.pool.options, max: 1 });
    for (let time = 0; time < 4; time += 1) await kit.database.looseBatch([all], aCall());
    await run('alter table loose add b int');
    const [first] = await kit.database.looseBatch([all], aCall());
    expect(first).toMatchObject({ kind: 'conflict', reason: 'STATEMENT_STALE', retryAfterMs: 10 });
    const [second] = await kit.database.looseBatch([all], aCall());
    expect(second).toMatchObject({ command: 'SELECT' });
  });
});

describe('a stream', () => {
  test('whose rows nobody takes ends, and gives its connection back', async () => {
    const { options } = kit.database;
    kit.database.configure({ ...options, idleInTransactionTimeoutMs: 200 });
    const many = { sql: 'select generate_series(1, 1000)', params: [] };
    const stream = kit.database.stream(many, 10, aCall(), () => new Promise(() => {}));
    expect(await rejection(stream)).toMatchObject({ reason: 'IDLE_IN_TRANSACTION_TIMEOUT' });
    expect(kit.database.pool.counts.lent).toBe(0);
    kit.database.configure(options);
  });

  test('reads the server only as fast as its consumer', async () => {
    let parts = 0;
    let going: () => void = () => {};
    const gate = new Promise<void>((resolve) => {
      going = resolve;
    });
    const done = kit.database.stream(
      { sql: `select repeat('x', 10000) from generate_series(1, 20000)`, params: [] },
      1_000,
      aCall(),
      async () => {
        parts += 1;
        await gate;
      },
    );
    await sleep(500);
    expect(parts).toBe(1);
    const [session] = await serverSessions(kit.url);
    expect(session?.state).toBe('active');
    going();
    await done;
    expect(parts).toBeGreaterThan(500);
  });

  test('leaves a connection that is read when its consumer takes the last rows slowly', async () => {
    let going: () => void = () => {};
    const gate = new Promise<void>((resolve) => {
      going = resolve;
    });
    const done = Promise.all(
      [1, 2, 3, 4].map(() =>
        kit.database.stream({ sql: 'select 1', params: [] }, 1, aCall(), () => gate),
      ),
    );
    await vi.waitFor(() => expect(kit.database.pool.counts.idle).toBe(4));
    expect(firstCells(await run('select 2'))).toEqual(['2']);
    going();
    await done;
  });

  test('is not cut by the statement timeout while its consumer is slow', async () => {
    let rows = 0;
    await kit.database.stream(
      { sql: `select repeat('x', 100000) from generate_series(1, 300)`, params: [] },
      10,
      aCall(),
      async (part) => {
        rows += part.length;
        if (rows < 1_000_000) await sleep(700);
      },
    );
    expect(rows).toBeGreaterThan(300 * 100_000);
  });

  test('ends, with its statement, when its consumer fails', async () => {
    const failing = kit.database.stream(
      { sql: 'select generate_series(1, 100000000)', params: [] },
      1_000,
      aCall(),
      () => Promise.reject(new Error('gone')),
    );
    await rejection(failing);
    await sleep(50);
    expect((await serverSessions(kit.url)).filter(({ state }) => state !== 'idle')).toEqual([]);
  });

  test('comes through when the columns of its table have changed since the last one', async () => {
    const stream = async (): Promise<string> => {
      const parts: Buffer[] = [];
      const all = { sql: 'select * from changing', params: [] };
      await kit.database.stream(all, 10, aCall(), async (part) => void parts.push(part));
      return Buffer.concat(parts).toString('latin1');
    };
    await run('create table changing (a int)');
    for (let time = 0; time < 3; time += 1) await stream();
    await run('alter table changing add column another int');
    expect(await stream()).toContain('another');
  });

  test('of a write commits it', async () => {
    await kit.database.stream(
      { sql: `insert into items values (9000, 'streamed') returning id`, params: [] },
      10,
      aCall(),
      async () => {},
    );
    expect(firstCells(await run('select name from items where id = 9000'))).toEqual(['streamed']);
  });
});

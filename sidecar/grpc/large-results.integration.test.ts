import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { QueryResult__Output } from '../../platform/gen/holdfast/v1/QueryResult.ts';
import { testDatabase, type TestDatabase } from '../../scripts/servers/test-database.ts';
import { collectGarbage } from './collect-garbage.test-kit.ts';
import { failing, failureOf } from './failure.test-kit.ts';
import { cellsOf } from './raw-session.test-kit.ts';
import { eventually, TestBed } from './test-bed.test-kit.ts';

/** Results larger than a sidecar could hold. */

let database: TestDatabase;
let bed: TestBed;

beforeAll(async () => {
  database = await testDatabase();
  bed = await TestBed.open(database.url, { postgres: { pool: { min: 4, max: 4 } } });
  await bed.sql(`create table large (body text);
                 insert into large values (repeat('x', 1000000));
                 create table items (id int)`);
});
afterAll(async () => {
  await bed[Symbol.asyncDispose]();
  await database.drop();
});
afterEach(() => bed.poolWhole());

/** What the work adds to the memory of this process at most. */
async function growthMb(work: Promise<unknown>): Promise<number> {
  collectGarbage();
  const residentMb = (): number => process.memoryUsage.rss() / 1e6;
  const beforeMb = residentMb();
  let mostMb = beforeMb;
  const timer = setInterval(() => (mostMb = Math.max(mostMb, residentMb())), 5);
  await work.catch(() => {});
  clearInterval(timer);
  return Math.max(mostMb, residentMb()) - beforeMb;
}

/** Garbage that nobody has collected yet included; without bounds it is twice the result and more. */
const mostMb = 220;
const tooLarge = { status: 'RESOURCE_EXHAUSTED', reason: 'RESULT_TOO_LARGE' };
const gigabyte = { sql: 'select body from large, generate_series(1, 1000)' };
const oneCell = { sql: `select string_agg(body, '') from large, generate_series(1, 150)` };
const small = { sql: `select 'small'` };

describe.for([
  ['a gigabyte of rows', gigabyte],
  ['a row of 150 MB', oneCell],
] as const)('%s', ([, query]) => {
  test('as a query is refused in bounded memory', async () => {
    using stock = bed.stock();
    const call = stock.query(query);
    expect(await growthMb(call)).toBeLessThan(mostMb);
    expect(await failing(call)).toMatchObject({ ...tooLarge, metadata: { target: 'default' } });
  });

  test('in a session is refused, and its neighbours are answered', async () => {
    using session = await bed.session();
    session.send({ id: 1, query }, { id: 2, query: small });
    const both = session.answers(1, 2);
    expect(await growthMb(both)).toBeLessThan(mostMb);
    const [large, neighbour] = await both;
    expect(large?.failure).toMatchObject(tooLarge);
    expect(neighbour?.rows).toEqual([['small']]);
  });

  test('in a transaction is refused, and a savepoint saves it', async () => {
    using session = await bed.session();
    session.send(
      { id: 1, transactionId: 1, begin: {} },
      { id: 2, transactionId: 1, savepoint: { action: 'ACTION_SET', name: 's' } },
      { id: 3, transactionId: 1, query },
      { id: 4, transactionId: 1, savepoint: { action: 'ACTION_ROLLBACK', name: 's' } },
      { id: 5, transactionId: 1, query: small },
      { id: 6, transactionId: 1, commit: {} },
    );
    const all = session.answers(3, 4, 5, 6);
    expect(await growthMb(all)).toBeLessThan(mostMb);
    const [large, back, next, commit] = await all;
    expect(large?.failure).toMatchObject(tooLarge);
    expect([back?.kind, next?.kind, commit?.kind]).toEqual(['savepoint', 'query', 'commit']);
  });
});

describe('a batch', () => {
  test('whose results are too large together is refused as a whole when it is all or nothing', async () => {
    using stock = bed.stock();
    const megabytes = { sql: `select repeat('x', 1000000) from generate_series(1, 6)` };
    const statements = [megabytes, megabytes, megabytes];
    expect(await failing(stock.batch({ statements, atomic: true }))).toMatchObject(tooLarge);
  });

  test('otherwise keeps the results that fit, and the statements after run all the same', async () => {
    using session = await bed.session();
    const statements = [
      small,
      gigabyte,
      ...Array.from({ length: 30 }, () => ({ sql: 'insert into items values (1)' })),
      small,
    ];
    for (let time = 0; time < 10; time += 1) {
      const { parts } = await session.ask({ batch: { statements } });
      const results = parts.flatMap(({ batch }) => batch?.results ?? []);
      expect(cellsOf(results[0]?.result)).toEqual([['small']]);
      expect(results[1]?.error && failureOf(results[1].error)).toMatchObject(tooLarge);
      const rest = results.slice(2).map(({ error, result }) => error?.message ?? result?.command);
      expect(rest).toEqual([...Array.from({ length: 30 }, () => 'INSERT'), 'SELECT']);
    }
    expect(await bed.count('items')).toBe(300);
  });

  test('of many results that fit alone takes no more memory than one that is too large', async () => {
    using stock = bed.stock();
    const megabytes = { sql: `select repeat('x', 1000000) from generate_series(1, 15)` };
    const call = stock.batch({ statements: Array.from({ length: 40 }, () => megabytes) });
    expect(await growthMb(call)).toBeLessThan(mostMb);
    const { results } = await call;
    expect(results.map(({ outcome }) => outcome)).toEqual([
      'result',
      ...Array.from({ length: 39 }, () => 'error'),
    ]);
  });
});

describe('a stream', () => {
  test('passes what a query may not hold, in bounded memory', async () => {
    using stock = bed.stock();
    const query = { sql: `select i, repeat('x', 100000) from generate_series(1, 2000) i` };
    let rows = 0;
    let largest = 0;
    const read = async (): Promise<void> => {
      for await (const part of stock.stream({ query }).iterator()) {
        const cells = cellsOf(part as QueryResult__Output);
        rows += cells.length;
        largest = Math.max(largest, cells.length);
      }
    };
    const reading = read();
    expect(await growthMb(reading)).toBeLessThan(mostMb);
    await reading;
    expect(rows).toBe(2_000);
    expect(largest).toBeLessThanOrEqual(4); // 256 KiB
  });

  test('whose client pauses stops the server, and goes on where it was', async () => {
    using stock = bed.stock();
    const query = { sql: `select i, repeat('x', 10000) from generate_series(1, 30000) i` };
    const stream = stock.stream({ query, maxRows: 10 });
    let last = 0;
    stream.on('data', (part: QueryResult__Output) => {
      for (const [i] of cellsOf(part)) {
        expect(Number(i)).toBe(last + 1);
        last += 1;
      }
    });
    const ended = new Promise((resolve) => stream.on('end', resolve));
    await eventually(() => expect(last).toBeGreaterThan(0));
    stream.pause();
    await sleep(300);
    const [backend] = await bed
      .backends()
      .then((all) => all.filter(({ state }) => state === 'active'));
    const waiting = await bed.sql(
      `select wait_event from pg_stat_activity where pid = $1`,
      backend?.pid,
    );
    expect(waiting).toEqual([{ wait_event: 'ClientWrite' }]);
    const seen = last;
    expect(await growthMb(sleep(300))).toBeLessThan(20);
    expect(last).toBe(seen);
    expect(seen).toBeLessThan(15_000);
    stream.resume();
    await ended;
    expect(last).toBe(30_000);
  });

  test('with a row of 150 MB fails in bounded memory', async () => {
    using stock = bed.stock();
    const call = stock.stream({ query: oneCell }).toArray();
    expect(await growthMb(call)).toBeLessThan(mostMb);
    expect(await failing(call)).toMatchObject(tooLarge);
  });

  // A second of a busy machine may be short.
  test(
    'that is cancelled while its client pauses frees its connection within a second',
    { retry: 2 },
    async () => {
      using stock = bed.stock();
      const streams = [1, 2, 3, 4].map(() => stock.stream({ query: gigabyte }));
      for (const stream of streams) {
        stream.on('error', () => {});
        await new Promise((resolve) => stream.once('data', resolve));
        stream.pause();
      }
      await sleep(200);
      expect(bed.sidecar.app.databases.named('default').pool.counts.lent).toBe(4);
      for (const stream of streams) stream.cancel();
      await bed.poolWhole(1_000);
    },
  );
});

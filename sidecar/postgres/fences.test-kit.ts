import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, expect } from 'vitest';
import type { Call } from '../../platform/call.ts';
import { systemClock } from '../../platform/clock.ts';
import { testDatabase, type TestDatabase } from '../../scripts/servers/test-database.ts';
import type { BeginOptions } from './begin-statement.ts';
import { aCall, openDatabase, plainBegin, type TestPool } from './database.test-kit.ts';
import type { Fence, FenceMode } from './fence-check.ts';
import { raiseFence } from './fences.ts';
import type { Transaction } from './transaction.ts';

export const read = { sql: 'select n from counters where id = 1', params: [] };
export const write = { sql: 'update counters set n = n + 1 where id = 1', params: [] };

interface RaiseOptions {
  readonly waitMs?: number;
  readonly call?: Call;
  readonly on?: TestPool;
}

export interface FenceKit {
  readonly url: string;
  readonly pool: TestPool;
  /** A superuser's, beside the pool. */
  readonly direct: pg.Client;
  /** Sessions that raises have ended. */
  terminated: number;
  newLock(): string;
  raise(lock: string, mode?: FenceMode, options?: RaiseOptions): Promise<Fence>;
  begin(fences: readonly Fence[], more?: Partial<BeginOptions>): Transaction;
  /** What a transaction of the holder comes to: `committed` or a reason. */
  works(fences: readonly Fence[], more?: Partial<BeginOptions>): Promise<string>;
  counter(): Promise<number>;
}

/** A database with a counter, and holders of locks, for the tests of one file. */
export function fenceKit(): FenceKit {
  let server: TestDatabase;
  let pool: TestPool;
  let direct: pg.Client;
  let locks = 0;

  beforeAll(async () => {
    server = await testDatabase();
    pool = openDatabase(server.url, { pool: { max: 20 } });
    direct = new pg.Client(server.url);
    await direct.connect();
    await direct.query(
      'create table counters (id int primary key, n int not null); insert into counters values (1, 0)',
    );
  });
  afterEach(() =>
    expect.poll(() => pool.database.pool.counts).toMatchObject({ lent: 0, waiting: 0 }),
  );
  afterAll(async () => {
    await direct.end();
    await pool.close();
    await server.drop();
  });

  const kit: FenceKit = {
    get url() {
      return server.url;
    },
    get pool() {
      return pool;
    },
    get direct() {
      return direct;
    },
    terminated: 0,
    newLock: () => `lock ${(locks += 1)}`,
    raise: async (lock, mode = 'exclusive', { waitMs = 5_000, call = aCall(), on = pool } = {}) => {
      const host = {
        clock: systemClock,
        database: on.database,
        onTerminated: (sessions: number) => void (kit.terminated += sessions),
      };
      return { lock, mode, value: await raiseFence(host, lock, mode, call, waitMs) };
    },
    begin: (fences, more = {}) => pool.database.begin({ ...plainBegin, fences, ...more }, aCall()),
    works: async (fences, more) => {
      const transaction = kit.begin(fences, more);
      try {
        await transaction.query(read, aCall());
        await transaction.commit(aCall());
        return 'committed';
      } catch (error) {
        await transaction.rollback().catch(() => {});
        return (error as { reason: string }).reason;
      }
    },
    counter: async () => {
      const { rows } = await direct.query<{ n: number }>(read.sql);
      return rows[0]?.n ?? -1;
    },
  };
  return kit;
}

export const settlesWithin = (work: Promise<unknown>, ms: number): Promise<boolean> =>
  Promise.race([work.then(() => true), sleep(ms, false)]);

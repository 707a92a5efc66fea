import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest';
import type { HoldfastError } from '../../platform/errors.ts';
import { testDatabase, type TestDatabase } from '../../scripts/servers/test-database.ts';
import type { BeginOptions } from './begin-statement.ts';
import type { Statement, StatementResult } from './exchange.ts';
import type { PoolOptions } from './pool-options.ts';
import {
  aCall,
  beside,
  firstCells,
  openDatabase,
  serverSessions,
  type TestPool,
} from './database.test-kit.ts';
import type { Transaction } from './transaction.ts';

export const sleep = (ms: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, ms));

export const insert = (id: number, table = 'work'): Statement => ({
  sql: `insert into ${table} values ($1)`,
  params: [`${id}`],
});

export interface TransactionKit {
  /** Why transactions ended without being asked to. */
  readonly aborted: readonly HoldfastError[];
  begin(options?: Partial<BeginOptions>): Transaction;
  query(statement: Statement): Promise<StatementResult>;
  count(table?: string): Promise<number>;
  /** Opens the pool anew with other options. */
  reopen(options: Partial<PoolOptions>): Promise<void>;
  /** Cuts the only session of the pool. */
  cutSession(): Promise<void>;
  /** Ends the session that runs `query`. */
  cut(query: string): Promise<unknown>;
  /** Nothing is lent, nobody waits. */
  expectWhole(): void;
  /** Nothing was committed either, and no transaction is open on the server. */
  expectNothing(): Promise<void>;
}

/** A database with a pool of two connections for the tests of one file. */
export function transactionKit(): TransactionKit {
  let server: TestDatabase;
  let pool: TestPool;
  let aborted: HoldfastError[] = [];
  beforeAll(async () => {
    server = await testDatabase();
    await beside(server.url, (client) =>
      client.query(`create table work (id int primary key);
      create table checked (id int unique deferrable initially deferred);
      create table slow_commit (id int);
      create function sleep_at_commit() returns trigger language plpgsql as $$ begin perform pg_sleep(0.8); return null; end $$;
      create constraint trigger slow after insert on slow_commit deferrable initially deferred for each row execute function sleep_at_commit();
      create procedure commits() language plpgsql as $$ begin commit; end $$`),
    );
  });
  afterAll(() => server.drop());
  beforeEach(() => {
    pool = openDatabase(server.url, { pool: { max: 2 } });
    aborted = [];
  });
  afterEach(async () => {
    await pool.close();
    await beside(server.url, (client) => client.query('truncate work, checked, slow_commit'));
  });

  const query = (statement: Statement): Promise<StatementResult> =>
    pool.database.query(statement, aCall());
  const count = async (table = 'work'): Promise<number> =>
    Number(firstCells(await query({ sql: `select count(*) from ${table}`, params: [] }))[0]);
  const expectWhole = (): void =>
    expect(pool.database.pool.counts).toMatchObject({ lent: 0, waiting: 0 });
  return {
    get aborted() {
      return aborted;
    },
    begin: (options = {}) =>
      pool.database.begin(
        {
          isolation: 'default',
          readOnly: false,
          deferrable: false,
          timeoutMs: 10_000,
          idleTimeoutMs: 10_000,
          onAborted: (reason) => aborted.push(reason),
          ...options,
        },
        aCall(),
      ),
    query,
    count,
    reopen: async (options) => {
      await pool.close();
      pool = openDatabase(server.url, { pool: options });
    },
    cutSession: async () => {
      const [session] = await serverSessions(server.url);
      await beside(server.url, (client) =>
        client.query('select pg_terminate_backend($1)', [session?.pid]),
      );
    },
    cut: (running) =>
      beside(server.url, (client) =>
        client.query(
          'select pg_terminate_backend(pid) from pg_stat_activity where query = $1 and pid <> pg_backend_pid()',
          [running],
        ),
      ),
    expectWhole,
    expectNothing: async () => {
      await sleep(100);
      expect(await count()).toBe(0);
      const sessions = await serverSessions(server.url);
      expect(sessions.filter(({ state }) => state.startsWith('idle in transaction'))).toEqual([]);
      expectWhole();
    },
  };
}

import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import { testDatabase, type TestDatabase } from '../../scripts/servers/test-database.ts';
import type { Database } from './database.ts';
import { aCall, beside, openDatabase, serverSessions, type TestPool } from './database.test-kit.ts';
import type { StatementResult } from './exchange.ts';

export interface ItemsKit {
  readonly url: string;
  readonly database: Database;
  readonly slow: readonly string[];
  readonly run: (sql: string, ...params: (string | null)[]) => Promise<StatementResult>;
}

export const sleep = (ms: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, ms));

/** A table of 1,000 items for the tests of one file, and for each test a pool of four that has to leave no session behind. */
export function itemsKit(): ItemsKit {
  let server: TestDatabase;
  let pool: TestPool;
  beforeAll(async () => {
    server = await testDatabase();
    await beside(server.url, (client) =>
      client.query(`create table items (id int primary key, name text);
                    insert into items select i, 'item ' || i from generate_series(1, 1000) i;
                    create table checked (id int unique deferrable initially deferred)`),
    );
  });
  afterAll(() => server.drop());
  beforeEach(() => {
    pool = openDatabase(server.url, { pool: { max: 4 }, statementTimeoutMs: 2_000 });
  });
  afterEach(async () => {
    await pool.close();
    if ((await serverSessions(server.url)).length > 0) {
      throw new Error('the pool left sessions behind');
    }
  });
  return {
    get url() {
      return server.url;
    },
    get database() {
      return pool.database;
    },
    get slow() {
      return pool.slow;
    },
    run: (sql, ...params) => pool.database.query({ sql, params }, aCall()),
  };
}

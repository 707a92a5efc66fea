import { afterAll, beforeAll, describe } from 'vitest';
import { testDatabase, type TestDatabase } from '../../../scripts/servers/test-database.ts';
import { authoritySuite } from './authority-suite.test-kit.ts';
import { postgresServer } from './postgres-authority.test-kit.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database.drop());

describe('PostgreSQL grants locks:', () => {
  authoritySuite(postgresServer(() => database.url));
});

import { inject } from 'vitest';
import { connectTo, templateName } from './template-database.ts';

export interface TestDatabase {
  /** A superuser's; the database holds schema `holdfast` and nothing else. */
  readonly url: string;
  /** Removes the database; sessions that are open are cut. */
  drop(): Promise<void>;
}

let made = 0;

/** A new database of its own for one test file, on the server that the whole run shares. */
export async function testDatabase(): Promise<TestDatabase> {
  const serverUrl = inject('postgresUrl');
  made += 1;
  const name = `test_${process.pid}_${made}`;
  await connectTo(serverUrl, (client) =>
    client.query(`create database ${name} template ${templateName}`),
  );
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return {
    url: url.href,
    drop: () =>
      connectTo(serverUrl, async (client) => {
        await client.query(`drop database if exists ${name} with (force)`);
      }),
  };
}

/** The Redis that the whole run shares: use keys of one's own. */
export const redisUrl = (): string => inject('redisUrl');

import type { TestProject } from 'vitest/node';
import { startPostgres } from './postgres.ts';
import { startRedis } from './redis.ts';
import { makeTemplate } from './template-database.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** A superuser's, on the server that the whole run shares; tests take `testDatabase()`. */
    postgresUrl: string;
    redisUrl: string;
  }
}

/** Starts the servers that all tests of the run share; the result stops them. */
export async function setup({ provide }: TestProject): Promise<() => Promise<void>> {
  await using started = new AsyncDisposableStack();
  const postgres = await startPostgres();
  started.defer(() => postgres.stop());
  const redis = await startRedis();
  started.defer(() => redis.stop());
  await makeTemplate(postgres.url);
  provide('postgresUrl', postgres.url);
  provide('redisUrl', redis.url);
  const running = started.move();
  return () => running.disposeAsync();
}

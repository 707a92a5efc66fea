import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, rmSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, test, vi } from 'vitest';
import { startPostgres } from './postgres.ts';
import { startRedis } from './redis.ts';
import { connectTo } from './template-database.ts';
import { redisUrl, testDatabase } from './test-database.ts';
import { isAlive, temporaryFolder } from './temporary-folder.ts';

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

const keptFolder = (): string => {
  const folder = temporaryFolder('servers-test');
  folders.push(folder);
  return folder;
};

test('two test databases are apart, and a dropped one is gone although a session is open', async () => {
  const [one, other] = await Promise.all([testDatabase(), testDatabase()]);
  await connectTo(one.url, (client) => client.query('create table only_here ()'));
  await connectTo(other.url, async (client) => {
    await expect(client.query('select from only_here')).rejects.toThrow('does not exist');
    await other.drop();
  });
  await expect(connectTo(other.url, async () => {})).rejects.toThrow('does not exist');
  await one.drop();
  expect(redisUrl()).toMatch(/^redis:\/\/127\.0\.0\.1:\d+$/);
});

test('a temporary server takes its folder with it', async () => {
  const postgres = await startPostgres({ settings: { max_connections: '7' } });
  await connectTo(postgres.url, async (client) => {
    const { rows } = await client.query('show max_connections');
    expect(rows).toEqual([{ max_connections: '7' }]);
  });
  await postgres.stop();
  expect(isAlive(postgres.pid)).toBe(false);
  expect(existsSync(postgres.dataDir)).toBe(false);
});

test('data outlives a server that was killed, and its stale pid file does no harm', async () => {
  const dataDir = keptFolder();
  const first = await startPostgres({ dataDir });
  await connectTo(first.url, (client) => client.query('create table kept as select 42 as answer'));
  process.kill(first.pid, 'SIGKILL');
  await first.stop();

  const second = await startPostgres({ dataDir, port: first.port });
  expect(second.url).toBe(first.url);
  await connectTo(second.url, async (client) => {
    expect((await client.query('select answer from kept')).rows).toEqual([{ answer: 42 }]);
  });
  await second.stop();
});

test('the servers of a process that is killed die with it, and the next start waits for that', async () => {
  const dataDir = keptFolder();
  const module = (name: string): string =>
    JSON.stringify(fileURLToPath(new URL(name, import.meta.url)));
  const program = `
    import { startPostgres } from ${module('./postgres.ts')};
    import { startRedis } from ${module('./redis.ts')};
    const postgres = await startPostgres({ dataDir: ${JSON.stringify(dataDir)} });
    const redis = await startRedis();
    console.log(JSON.stringify([postgres.pid, redis.pid]));
  `;
  const owner = spawn(process.execPath, ['--input-type=module-typescript', '--eval', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(createInterface(owner.stdout), 'line')) as [string];
  const pids = JSON.parse(line) as number[];
  expect(pids.every(isAlive)).toBe(true);

  owner.kill('SIGKILL');
  const next = await startPostgres({ dataDir });
  await next.stop();
  await vi.waitUntil(() => !pids.some(isAlive), 5_000);
});

test('Redis keeps what it was told when it has a folder', async () => {
  const dataDir = keptFolder();
  const first = await startRedis({ dataDir });
  await first.stop();
  expect(isAlive(first.pid)).toBe(false);
  const second = await startRedis({ dataDir, port: first.port });
  expect(second.url).toBe(first.url);
  await second.stop();
  expect(existsSync(`${dataDir}/appendonlydir`)).toBe(true);
});

test('a server that cannot start says why', async () => {
  await expect(startPostgres({ settings: { max_connections: 'many' } })).rejects.toThrow(
    'invalid value for parameter "max_connections"',
  );
});

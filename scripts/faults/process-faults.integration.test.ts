import { execFileSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type PostgresServer, type Shutdown, startPostgres } from '../servers/postgres.ts';
import { type RedisServer, startRedis } from '../servers/redis.ts';
import { connectTo } from '../servers/template-database.ts';
import { isAlive } from '../servers/temporary-folder.ts';
import { startTethered } from '../servers/tethered-process.ts';
import { childrenOf, filesLimitCommand, limited } from './process-faults.ts';

describe('PostgreSQL', () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres({ settings: { synchronous_commit: 'on' } });
  });
  afterAll(() => server.stop());

  test('paused, it keeps its connections and answers when it goes on', async () => {
    await connectTo(server.url, async (client) => {
      await client.query('select 1');
      server.pause();
      const answer = client.query('select 2 as n');
      expect(await Promise.race([answer, sleep(100, 'nothing')])).toBe('nothing');
      server.resume();
      expect((await answer).rows).toEqual([{ n: 2 }]);
    });
  });

  test.each(['fast', 'immediate', 'kill'] as Shutdown[])(
    'comes back after %s with the same data on the same port, and nothing of the old one is left',
    async (how) => {
      await connectTo(server.url, (client) => client.query(`create table after_${how} ()`));
      const client = new Client({ connectionString: server.url });
      const lost = new Promise((resolve) => client.on('error', resolve));
      await client.connect();
      const { pid } = server;
      const old = [pid, ...childrenOf(pid)];
      expect(old.length).toBeGreaterThan(3);
      await server.shutDown(how);
      await lost;
      expect(old.filter(isAlive)).toEqual([]);
      await expect(connectTo(server.url, async () => {})).rejects.toThrow('ECONNREFUSED');
      await server.start();
      expect(server.pid).not.toBe(pid);
      await connectTo(server.url, (client) => client.query(`select from after_${how}`));
    },
  );

  test('killed while it is paused, it is gone all the same', async () => {
    server.pause();
    const old = [server.pid, ...childrenOf(server.pid)];
    await server.restart('kill');
    expect(old.filter(isAlive)).toEqual([]);
    await connectTo(server.url, (client) => client.query('select 1'));
  });
});

describe('Redis', () => {
  let server: RedisServer;
  let redis: Redis;
  beforeAll(async () => {
    server = await startRedis({ saves: true });
    redis = new Redis(server.url, { retryStrategy: () => 10, maxRetriesPerRequest: null });
    redis.on('error', () => {});
  });
  afterAll(async () => {
    redis.disconnect();
    await server.stop();
  });

  test('paused, it answers when it goes on', async () => {
    server.pause();
    const answer = redis.ping();
    expect(await Promise.race([answer, sleep(50, 'nothing')])).toBe('nothing');
    server.resume();
    expect(await answer).toBe('PONG');
  });

  test.each(['fast', 'kill'] as const)('comes back after %s with what it saved', async (how) => {
    await redis.set('kept', how);
    await sleep(1_100); // appendfsync everysec
    const { pid } = server;
    await server.restart(how);
    expect(isAlive(pid)).toBe(false);
    expect(await redis.get('kept')).toBe(how);
  });
});

describe('limits', () => {
  test('hold for the program that is started with them', () => {
    const [command, ...args] = limited(['cat', '/proc/self/limits'], {
      files: 77,
      addressSpaceBytes: 1 << 30,
      fileBytes: 4_096,
    });
    const table = execFileSync(command, args).toString();
    expect(table).toMatch(/Max open files +77 +77/);
    expect(table).toMatch(/Max address space +1073741824/);
    expect(table).toMatch(/Max file size +4096/);
  });

  test('of files can be changed while it runs, and taken back', async () => {
    const child = startTethered('sleep', ['60'], {
      env: { PATH: process.env['PATH'] },
      stdio: 'ignore',
      deathSignal: 'SIGTERM',
    });
    const { pid = 0 } = child;
    const limit = (files: number): string => {
      const [command, ...args] = filesLimitCommand(pid, files);
      execFileSync(command, args);
      return execFileSync('prlimit', [`--pid=${pid}`, '--nofile', '--noheadings', '-o', 'SOFT'])
        .toString()
        .trim();
    };
    expect(limit(20)).toBe('20');
    expect(limit(100)).toBe('100');
    child.kill();
    await vi.waitUntil(() => !isAlive(pid));
  });
});

import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { inspect } from 'node:util';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { connect } from '../clients/typescript/index.ts';
import { type FaultProxy, proxyTo } from '../scripts/faults/fault-proxy.ts';
import { freePort } from '../scripts/servers/free-port.ts';
import { type RedisServer, startRedis } from '../scripts/servers/redis.ts';
import { startSidecarProcess } from '../scripts/servers/sidecar.ts';
import { connectTo } from '../scripts/servers/template-database.ts';
import { testDatabase, type TestDatabase } from '../scripts/servers/test-database.ts';

/** While everything fails that can, no password and no token is in anything that the sidecar writes. */

const secrets = {
  database: 'dB-s3cret/with?odd#signs',
  rotated: 'r0tated/p@ssword',
  redis: 'r3dis-s3cret/with@signs',
  token: 't0ken-t0ken-t0ken-t0ken-t0ken-t0ken-t0ken',
};
const user = `secretive_${process.pid}`;

let database: TestDatabase;
let redis: RedisServer;
let folder: string;
beforeAll(async () => {
  database = await testDatabase();
  await ask(`create role ${user} login password '${secrets.database}'`);
  redis = await startRedis({ settings: { requirepass: secrets.redis } });
  folder = mkdtempSync(join(tmpdir(), 'hf-'));
});
afterAll(async () => {
  await ask(`drop role ${user}`);
  await database.drop();
  await redis.stop();
  rmSync(folder, { recursive: true, force: true });
});

const ask = (sql: string) => connectTo(database.url, (client) => client.query(sql));

const url = (
  proxy: FaultProxy,
  { user = '', password }: { user?: string; password: string },
  base: string,
): string => {
  const through = new URL(proxy.through(base));
  through.username = user;
  through.password = encodeURIComponent(password);
  return through.href;
};

/** As it is, and as it would look in a URL, in base64 and in hexadecimal. */
const disguises = (secret: string): string[] => [
  secret,
  encodeURIComponent(secret),
  Buffer.from(secret).toString('base64').replace(/=+$/, ''),
  Buffer.from(secret).toString('hex'),
];

interface Told {
  readonly code: number | null;
  readonly text: string;
}
const run = (args: readonly string[], env: Record<string, string>): Promise<Told> =>
  new Promise((resolve) => {
    const main = fileURLToPath(new URL('main.ts', import.meta.url));
    const child = execFile(
      process.execPath,
      [main, ...args],
      { env, timeout: 60_000 },
      (_, out, err) => resolve({ code: child.exitCode, text: `${out}${err}` }),
    );
  });

test('no secret is in the log, in errors, in metrics, in what settings say, or in a file', async () => {
  await using postgresProxy = await proxyTo(database.url);
  await using redisProxy = await proxyTo(redis.url);
  const write = (path: string, text: string): string => {
    mkdirSync(join(folder, path, '..'), { recursive: true });
    writeFileSync(join(folder, path), text, { mode: 0o600 });
    return join(folder, path);
  };
  const databaseUrl = (password: string): string =>
    url(postgresProxy, { user, password }, database.url);
  write('secrets/postgres/url', databaseUrl(secrets.database));
  write('secrets/redis/url', url(redisProxy, { password: secrets.redis }, redis.url));
  const target = (name: string) => ({ name: 'default', secretRef: { name, key: 'url' } });
  const policy = stringify({
    apiVersion: 'resilience.holdfast.dev/v1alpha1',
    kind: 'ResiliencePolicy',
    metadata: { name: 'secretive' },
    spec: { postgres: [target('postgres')], redis: [target('redis')] },
  });
  const port = await freePort();
  const env = {
    PATH: process.env['PATH'] ?? '',
    HOLDFAST_SECRETS_DIR: join(folder, 'secrets'),
    HOLDFAST_STATE_DIR: join(folder, 'state'),
    HOLDFAST_POLICY_FILE: write('policy.yaml', policy),
    HOLDFAST_TOKEN_FILE: write('token', secrets.token),
    HOLDFAST_PORT: `${port}`,
    HOLDFAST_LOG_LEVEL: 'trace',
    HOLDFAST_GRACE_MS: '1000',
  };
  mkdirSync(env.HOLDFAST_STATE_DIR);
  const told: string[] = [];
  const sidecar = await startSidecarProcess(env, { output: 'kept' });
  const holdfast = connect({ address: sidecar.address, deadlineMs: 500 });
  const stranger = connect({
    address: `127.0.0.1:${port}`,
    token: `${secrets.token}x`,
    deadlineMs: 500,
  });
  const attempt = async (work: () => Promise<unknown>): Promise<void> => {
    told.push(await work().then(inspect, (error: unknown) => inspect(error, { depth: 10 })));
  };
  /** One of everything. */
  const use = async (): Promise<void> => {
    await Promise.all([
      attempt(() => holdfast.database().query('select current_user')),
      attempt(() => holdfast.database().query('select wrong from nowhere')),
      attempt(() => holdfast.database().transaction((tx) => tx.query('select 1'))),
      attempt(() => holdfast.redis().command(['PING'])),
      attempt(() => holdfast.redis().command(['CONFIG', 'GET', 'requirepass'])),
      attempt(() => holdfast.redis().command(['GET'])),
      attempt(() => stranger.database().query('select 1')),
    ]);
    told.push(await sidecar.metrics());
  };

  await use();
  expect(told.join()).toContain(`current_user: '${user}'`);
  expect(told.join()).toContain('PONG');
  // Cut at every kind of message while it connects and works.
  const types = ['StartupMessage', 'PasswordMessage', 'Authentication', 'Parse', 'DataRow'];
  for (const type of types) {
    let hit = false;
    postgresProxy.rule = (message) => {
      if (message.type !== type || hit) return undefined;
      hit = true;
      return { cut: 'within' };
    };
    redisProxy.rule = ({ type }) =>
      type === 'AUTH' || type === 'HELLO' ? { reset: true } : undefined;
    postgresProxy.cut();
    redisProxy.cut();
    await use();
  }
  // Messages that make no sense, and the password among them.
  postgresProxy.rule = ({ type }) =>
    type === 'Authentication' ? { instead: Buffer.from(`E${secrets.database}`) } : undefined;
  redisProxy.rule = ({ from }) =>
    from === 'server' ? { instead: Buffer.from(`-ERR ${'x'.repeat(10)}\r\n`) } : undefined;
  postgresProxy.cut();
  redisProxy.cut();
  await use();
  // Passwords that are not right any more.
  postgresProxy.rule = undefined;
  redisProxy.rule = undefined;
  await ask(`alter role ${user} password '${secrets.rotated}'`);
  const direct = new Redis(redis.url, { password: secrets.redis });
  await direct.config('SET', 'requirepass', secrets.rotated);
  postgresProxy.cut();
  redisProxy.cut();
  await use();
  write('secrets/postgres/url', databaseUrl(secrets.rotated).replace('postgres:', 'postgers:'));
  await sleep(1_200);
  await use();
  write('secrets/postgres/url', databaseUrl(secrets.rotated));
  // Nobody there.
  await postgresProxy.shut();
  await redisProxy.shut();
  await use();
  await postgresProxy.reopen();
  await sleep(1_500);
  await use();
  await holdfast.close();
  await stranger.close();
  await sidecar.stop();
  told.push(sidecar.output());

  const settings = { ...env, HOLDFAST_SOCKET: 'off', HOLDFAST_HTTP_PORT: '0' };
  const configs: Record<string, string>[] = [
    settings,
    { ...settings, DATABASE_URL: databaseUrl(secrets.database) },
    { ...settings, DATABASE_URL: `${databaseUrl(secrets.database)}?sslmode=prefer` },
    { ...settings, HOLDFAST_TOKEN_FILE: write('short', secrets.token.slice(0, 20)) },
    { ...settings, HOLDFAST_POLICY_FILE: join(folder, 'secrets/postgres/url') },
    { ...settings, HOLDFAST_CONFIG_FILE: join(folder, 'secrets/postgres/url') },
    { ...settings, REDIS_URL: `redis://:${secrets.redis}@` },
  ];
  const answers = await Promise.all(configs.map((each) => run(['--check-config'], each)));
  expect(answers.map(({ code }) => code)).toEqual([0, 78, 78, 78, 78, 78, 78]);
  told.push(...answers.map(({ text }) => text));

  for (const name of readdirSync(env.HOLDFAST_STATE_DIR, { recursive: true }) as string[]) {
    told.push(readFileSync(join(env.HOLDFAST_STATE_DIR, name), 'utf8'));
  }
  const all = told.join('\n');
  // It was told of the faults.
  for (const word of ['UNAUTHENTICATED', 'DATABASE_UNAVAILABLE', 'REDIS_UNAVAILABLE', '28P01']) {
    expect(all).toContain(word);
  }
  const found = Object.entries({ ...secrets, short: secrets.token.slice(0, 20) }).flatMap(
    ([name, secret]) =>
      disguises(secret)
        .filter((each) => all.includes(each))
        .map(() => name),
  );
  expect(found).toEqual([]);
}, 60_000);

import { execFileSync, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, readdirSync, rmSync, statSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { freePort } from './servers/free-port.ts';
import { connectTo } from './servers/template-database.ts';
import { isAlive, temporaryFolder } from './servers/temporary-folder.ts';
import { redisUrl, testDatabase } from './servers/test-database.ts';

interface Up {
  readonly child: ChildProcess;
  readonly output: string[];
  /** Every process below it, once it is ready. */
  readonly family: readonly number[];
}

const program = fileURLToPath(new URL('./dev-up.ts', import.meta.url));
const checkout = fileURLToPath(new URL('..', import.meta.url));
const started: ChildProcess[] = [];
let folder: string;

beforeAll(() => {
  folder = temporaryFolder('up-test');
});
afterEach(async () => {
  for (const child of started.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    child.kill('SIGTERM');
    await once(child, 'exit');
  }
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Starts `./dev up` in the test's folder; resolves when it says `ready`, or when it ends. */
async function up(settings: Readonly<Record<string, string>> = {}): Promise<Up> {
  const env: NodeJS.ProcessEnv = { ...process.env };
  for (const name of ['DATABASE_URL', 'REDIS_URL', 'HOLDFAST_PORT']) delete env[name];
  const child = spawn(process.execPath, [program, '--folder', folder], {
    env: { ...env, ...settings },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  started.push(child);
  const output: string[] = [];
  await new Promise<void>((resolve) => {
    child.once('close', () => resolve());
    createInterface(child.stderr).on('line', (line) => output.push(line));
    createInterface(child.stdout).on('line', (line) => {
      output.push(line);
      // The last line: everything that is printed has been.
      if (line === 'Ctrl-C stops all of it.') resolve();
    });
  });
  return { child, output, family: child.pid === undefined ? [] : descendants(child.pid) };
}

async function ended(child: ChildProcess): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'close');
  return child.exitCode;
}

function descendants(pid: number): number[] {
  const children = readdirSync('/proc').filter((entry) => {
    try {
      const stat = readFileSync(`/proc/${entry}/stat`, 'utf8');
      return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) === pid;
    } catch {
      return false;
    }
  });
  return children.map(Number).flatMap((child) => [child, ...descendants(child)]);
}

/** The signal ends it with 0, and nothing of it is left. */
async function stops({ child, family }: Up, signal: 'SIGTERM' | 'SIGINT'): Promise<void> {
  child.kill(signal);
  // As a shell and what it runs both pass it on.
  child.kill(signal);
  expect(await ended(child)).toBe(0);
  expect(family.filter(isAlive)).toEqual([]);
}

const databaseUrl = (): string => readFileSync(join(folder, 'secrets/postgres/url'), 'utf8');

/** What follows a word at the start of a line of the summary. */
const shown = ({ output }: Up, word: string): string =>
  output
    .find((line) => line.startsWith(`${word} `))
    ?.slice(word.length)
    .trim() ?? '';

/** What a shell in the checkout prints for the snippet below this title. */
function pasted(text: string, title: string): string {
  const start = text.indexOf(title) + title.length;
  const snippet = text.slice(start, text.indexOf('\nEOF\n', start) + '\nEOF\n'.length);
  return execFileSync('sh', ['-c', snippet], { cwd: checkout, encoding: 'utf8' });
}

async function reaches(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

test('prints ready and what to paste, ends on SIGTERM, and the next one has the data', async () => {
  const port = await freePort();
  const first = await up({ HOLDFAST_PORT: String(port) });
  expect(first.output).toContain('ready');
  expect(first.family.length).toBeGreaterThanOrEqual(3);

  const socket = shown(first, 'socket').replace('unix:', '');
  expect(statSync(socket).isSocket()).toBe(true);
  expect(shown(first, 'tcp')).toBe(`127.0.0.1:${port}`);
  expect(await reaches(port)).toBe(true);
  const [metrics = ''] = shown(first, 'http').split(' ');
  expect((await fetch(`${metrics}/metrics`)).status).toBe(200);
  expect(shown(first, 'token')).toBe(readFileSync(join(folder, 'token'), 'utf8'));
  for (const file of ['token', 'secrets/postgres/url', 'secrets/redis/url']) {
    expect(statSync(join(folder, file)).mode & 0o777).toBe(0o600);
  }
  const text = first.output.join('\n');
  for (const part of ["from '@holdfast/client'", 'grpc_tools', 'grpcurl -plaintext', socket]) {
    expect(text).toContain(part);
  }
  expect(pasted(text, 'TypeScript:')).toBe('[ { one: 1 } ]\n');
  await connectTo(databaseUrl(), (client) => client.query('create table kept ()'));
  await stops(first, 'SIGTERM');
  expect(await reaches(port)).toBe(false);

  const second = await up();
  expect(second.output).toContain('ready');
  await connectTo(databaseUrl(), (client) => client.query('select from kept'));
  await stops(second, 'SIGINT');
});

test('a second one on the same data is refused and does the first no harm', async () => {
  const first = await up();
  const second = await up();
  expect(await ended(second.child)).toBe(1);
  expect(second.output.at(-1)).toBe(
    `dev up: another ./dev up is running on this data (pid ${first.child.pid})`,
  );
  expect(first.family.every(isAlive)).toBe(true);
  await stops(first, 'SIGTERM');
});

test('killed with SIGKILL it takes everything along, and the next one starts', async () => {
  const first = await up();
  first.child.kill('SIGKILL');
  await ended(first.child);
  const second = await up();
  expect(second.output).toContain('ready');
  await vi.waitUntil(() => !first.family.some(isAlive), 10_000);
  await stops(second, 'SIGTERM');
});

test('when a part dies it says which one and ends with 1', async () => {
  const { child, output, family } = await up();
  const redis = family.find((pid) => readFileSync(`/proc/${pid}/comm`, 'utf8').startsWith('redis'));
  // 0 would be everybody, this process included.
  if (redis === undefined) throw new Error('no Redis was started');
  process.kill(redis, 'SIGKILL');
  expect(await ended(child)).toBe(1);
  expect(output.at(-1)).toMatch(/^dev up: Redis died \(SIGKILL\)/);
  expect(family.filter(isAlive)).toEqual([]);
});

test('servers that are given replace its own', async () => {
  const database = await testDatabase();
  const run = await up({ DATABASE_URL: database.url, REDIS_URL: redisUrl() });
  expect(run.output).toContain('ready');
  const programs = run.family.map((pid) => readFileSync(`/proc/${pid}/comm`, 'utf8').trim());
  expect(programs.filter((name) => !name.startsWith('node'))).toEqual([]);
  await stops(run, 'SIGTERM');
  await database.drop();
});

test('without Redis it runs and says what is off', async () => {
  const run = await up({ REDIS_URL: 'off' });
  expect(run.output).toContain('ready');
  expect(shown(run, 'redis')).toMatch(/^off/);
  await stops(run, 'SIGTERM');
});

test('a malformed DATABASE_URL is refused in one line before anything starts', async () => {
  const run = await up({ DATABASE_URL: 'invalid://me:geheim@here' });
  expect(await ended(run.child)).toBe(1);
  expect(run.output).toHaveLength(1);
  expect(run.output[0]).toMatch(/^dev up: DATABASE_URL /);
  expect(run.output[0]).not.toContain('geheim');
});

test('a setting that the sidecar would refuse is refused before anything starts', async () => {
  for (const setting of [{ HOLDFAST_PORT: 'abc' }, { HOLDFAST_SOKCET: '/tmp/s' }]) {
    const run = await up(setting);
    expect(await ended(run.child)).toBe(1);
    expect(run.output).toHaveLength(1);
    expect(run.output[0]).toMatch(/^dev up: HOLDFAST_/);
  }
});

test('a database that cannot be reached is one line, without its password', async () => {
  const port = await freePort();
  const run = await up({ DATABASE_URL: `postgres://me:geheim@127.0.0.1:${port}/here` });
  expect(await ended(run.child)).toBe(1);
  expect(run.output.at(-1)).toMatch(/^dev up: .*ECONNREFUSED/);
  expect(run.output.join('\n')).not.toContain('geheim');
});

import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, lstatSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { version } from '../platform/version.ts';
import { endProcess, startTethered } from '../scripts/servers/tethered-process.ts';
import { testDatabase, type TestDatabase } from '../scripts/servers/test-database.ts';
import { RawSession } from './grpc/raw-session.test-kit.ts';

/** The sidecar as a process of its own: arguments, exit codes, signals. */

const main = fileURLToPath(new URL('main.ts', import.meta.url));

let database: TestDatabase;
let folder: string;
let socket: string;
const running = new Set<ChildProcess>();

beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database.drop());
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hf-'));
  socket = join(folder, 's.sock');
});
afterEach(async () => {
  for (const child of running) await endProcess(child, 'SIGKILL', 1_000);
  running.clear();
  rmSync(folder, { recursive: true, force: true });
});

interface Program {
  readonly child: ChildProcess;
  readonly output: () => string;
  readonly exit: Promise<{ readonly code: number | null; readonly errors: string }>;
}

type Environment = Readonly<Record<string, string>>;

function start(args: readonly string[], env: Environment = {}): Program {
  const child = startTethered(process.execPath, [main, ...args], {
    env: { PATH: process.env['PATH'], ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    deathSignal: 'SIGTERM',
  });
  running.add(child);
  let output = '';
  let errors = '';
  child.stdout?.on('data', (bytes: Buffer) => (output += bytes.toString()));
  child.stderr?.on('data', (bytes: Buffer) => (errors += bytes.toString()));
  const exit = once(child, 'close').then(() => ({ code: child.exitCode, errors }));
  return { child, output: () => output, exit };
}

const settings = (): Environment => ({
  DATABASE_URL: database.url,
  REDIS_URL: 'off',
  HOLDFAST_SOCKET: socket,
  HOLDFAST_HTTP_PORT: '0',
});

interface Serving extends Program {
  readonly httpPort: number;
}

/** A sidecar that says that it serves. */
async function serve(env: Environment = {}): Promise<Serving> {
  const program = start([], { ...settings(), ...env });
  for (;;) {
    const line = program
      .output()
      .split('\n')
      .find((each) => each.includes('"msg":"serving"'));
    if (line !== undefined) {
      return { ...program, httpPort: (JSON.parse(line) as { httpPort: number }).httpPort };
    }
    const ended = await Promise.race([once(program.child.stdout as never, 'data'), program.exit]);
    if ('code' in ended) throw new Error(`it does not serve: ${program.output()}${ended.errors}`);
  }
}

const get = async (port: number, path: string): Promise<{ status: number; text: string }> => {
  const answer = await fetch(`http://127.0.0.1:${port}${path}`);
  return { status: answer.status, text: await answer.text() };
};

describe('arguments', () => {
  test('--version and --help say so, and ask for no setting', async () => {
    const [saysVersion, saysHelp] = [start(['--version']), start(['--help'])];
    expect(await saysVersion.exit).toEqual({ code: 0, errors: '' });
    expect(saysVersion.output()).toBe(`${version}\n`);
    expect(await saysHelp.exit).toEqual({ code: 0, errors: '' });
    for (const each of ['--check-config', '--version', '--help', 'SIGTERM', 'docs/settings.md']) {
      expect(saysHelp.output()).toContain(each);
    }
  });

  test('others are refused with the help', async () => {
    const [unknown, tooMany] = [start(['--frobnicate']), start(['--version', 'please'])];
    for (const [program, args] of [
      [unknown, '--frobnicate'],
      [tooMany, '--version please'],
    ] as const) {
      const { code, errors } = await program.exit;
      expect(code).toBe(64);
      expect(errors).toContain(`unknown arguments: ${args}\n`);
      expect(errors).toContain('usage: sidecar');
    }
  });

  test('--check-config with good settings says so, and serves nothing', async () => {
    const program = start(['--check-config'], settings());
    expect(await program.exit).toEqual({ code: 0, errors: '' });
    expect(program.output()).toBe('settings are fine\n');
    expect(existsSync(socket)).toBe(false);
  });
});

describe('row "bad policy": a setting or policy that is missing or malformed stops it with exit code 78 and one line', () => {
  const secret = 's3cr3t-passw0rd';
  const off = { REDIS_URL: 'off' };
  const badPolicy = join(mkdtempSync(join(tmpdir(), 'hf-')), 'policy.yaml');
  writeFileSync(
    badPolicy,
    `apiVersion: resilience.holdfast.dev/v1alpha1
kind: ResiliencePolicy
metadata: { name: x }
spec:
  postgres:
    - { name: default, secretRef: { name: pg }, pool: { max: 0 } }
`,
  );
  type Fault = readonly [Environment, variable: string, fault: string];
  const faults: Record<string, Fault> = {
    'no DATABASE_URL': [off, 'DATABASE_URL', 'missing'],
    'no REDIS_URL': [{ DATABASE_URL: 'postgresql://u@h/d' }, 'REDIS_URL', 'missing'],
    'an empty URL': [{ ...off, DATABASE_URL: '' }, 'DATABASE_URL', 'empty'],
    'another scheme': [
      { ...off, DATABASE_URL: `invalid://url:${secret}@h/d` },
      'DATABASE_URL',
      'scheme',
    ],
    'nothing but a scheme': [{ ...off, DATABASE_URL: 'postgresql://' }, 'DATABASE_URL', 'host'],
    'a bad port': [
      { ...off, DATABASE_URL: `postgresql://u:${secret}@h:99999/d` },
      'DATABASE_URL',
      'bad port',
    ],
    'an unknown option': [
      { ...off, DATABASE_URL: `postgresql://u:${secret}@h/d?sslmod=require` },
      'DATABASE_URL',
      'unknown option',
    ],
    'a malformed REDIS_URL': [
      { DATABASE_URL: 'postgresql://u@h/d', REDIS_URL: `redis://u:${secret}@h:x` },
      'REDIS_URL',
      'bad port',
    ],
    'a policy that cannot be': [
      { ...off, HOLDFAST_POLICY_FILE: badPolicy },
      `HOLDFAST_POLICY_FILE ${badPolicy}:6`,
      'pool.min',
    ],
    'a setting that does not exist': [
      { ...off, HOLDFAST_SOKCET: '/x' },
      'HOLDFAST_SOKCET',
      'HOLDFAST_SOCKET',
    ],
  };
  const expectFault = async (program: Program, [, variable, fault]: Fault): Promise<void> => {
    const { code, errors } = await program.exit;
    expect(code).toBe(78);
    expect(errors).toMatch(/^[^\n]+\n$/);
    expect(errors).toContain(variable);
    expect(errors).toContain(fault);
    expect(`${errors}${program.output()}`).not.toContain(secret);
  };

  test.for(Object.entries(faults))('%s, checked', async ([, fault]) => {
    await expectFault(start(['--check-config'], fault[0]), fault);
  });

  test.for(Object.entries(faults).slice(0, 2))('%s, started', async ([, fault]) => {
    await expectFault(start([], fault[0]), fault);
  });
});

describe('serving', () => {
  test('answers calls, health and metrics, and stops at SIGTERM with exit code 0', async () => {
    const sidecar = await serve();
    expect(lstatSync(socket).mode & 0o777).toBe(0o660);
    using session = new RawSession(`unix:${socket}`);
    expect(await session.rows('select 1')).toEqual([['1']]);
    expect((await get(sidecar.httpPort, '/livez')).status).toBe(200);
    expect((await get(sidecar.httpPort, '/readyz')).status).toBe(200);
    expect((await get(sidecar.httpPort, '/nothing')).status).toBe(404);
    const { text } = await get(sidecar.httpPort, '/metrics');
    for (const sample of [
      'holdfast_pool_connections_active{pool_type="postgres",pool="default"}',
      'holdfast_pool_connections_limit{pool_type="postgres",pool="default"} 10',
      'holdfast_pool_waiting{pool_type="postgres",pool="default"} 0',
      '# TYPE holdfast_pool_wait_seconds histogram',
      'holdfast_requests_total{method="Database.Query",endpoint="default",status="OK"} 1',
      'holdfast_response_time_seconds_count{method="Database.Query",endpoint="default"} 1',
      'holdfast_sessions_open 1',
      'process_resident_memory_bytes',
    ]) {
      expect(text).toContain(sample);
    }
    sidecar.child.kill('SIGTERM');
    expect(await sidecar.exit).toEqual({ code: 0, errors: '' });
    expect(sidecar.output()).not.toContain(new URL(database.url).password);
    expect(sidecar.output()).not.toContain('"level":"error"');
  });

  test('lets calls under way finish after SIGTERM, and cuts them at a second one', async () => {
    const sidecar = await serve({ HOLDFAST_GRACE_MS: '10000' });
    using session = new RawSession(`unix:${socket}`);
    session.send({ id: 1, query: { sql: `select 'done' from pg_sleep(0.5)` } });
    await session.until(() => session.messages[0]);
    sidecar.child.kill('SIGTERM');
    expect((await session.answer(1)).rows).toEqual([['done']]);
    expect((await sidecar.exit).code).toBe(0);

    const stubborn = await serve({ HOLDFAST_GRACE_MS: '60000' });
    using other = new RawSession(`unix:${socket}`);
    other.send({ id: 1, query: { sql: 'select pg_sleep(60)' } });
    await other.until(() => other.messages[0]);
    stubborn.child.kill('SIGTERM');
    while (!stubborn.output().includes('"msg":"stopping"')) {
      await once(stubborn.child.stdout as never, 'data');
    }
    stubborn.child.kill('SIGTERM');
    expect((await stubborn.exit).code).toBe(1);
  });
});

describe('the socket', () => {
  test('that a killed sidecar left behind is replaced', async () => {
    const killed = await serve();
    killed.child.kill('SIGKILL');
    await killed.exit;
    expect(existsSync(socket)).toBe(true);
    await serve();
    using session = new RawSession(`unix:${socket}`);
    expect(await session.rows('select 1')).toEqual([['1']]);
  });

  test('that a living sidecar serves is left alone', async () => {
    await serve();
    const second = start([], settings());
    expect((await second.exit).code).toBe(1);
    expect(second.output()).toContain(`another process serves ${socket}`);
    using session = new RawSession(`unix:${socket}`);
    expect(await session.rows('select 1')).toEqual([['1']]);
  });

  test('has no place where a file is', async () => {
    writeFileSync(socket, 'precious');
    const sidecar = start([], settings());
    expect((await sidecar.exit).code).toBe(1);
    expect(sidecar.output()).toContain('is not a socket');
    expect(lstatSync(socket).isFile()).toBe(true);
  });
});

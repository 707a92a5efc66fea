import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { preparePython } from '../scripts/dev/python-environment.ts';
import { runCommand } from '../scripts/dev/run-command.ts';
import { connectTo } from '../scripts/servers/template-database.ts';
import { redisUrl, type TestDatabase, testDatabase } from '../scripts/servers/test-database.ts';
import { startHttpServer, type TestHttpServer } from '../sidecar/http/http-server.test-kit.ts';
import { startSidecar, type TestSidecar } from '../sidecar/sidecar.test-kit.ts';

const checkout = fileURLToPath(new URL('..', import.meta.url)).replace(/\/$/, '');
const python = join(checkout, '.holdfast/python/bin/python');
const stubs = join(checkout, '.holdfast/python-stubs');

let database: TestDatabase;
let sidecar: TestSidecar;
let llm: TestHttpServer;

beforeAll(async () => {
  database = await testDatabase();
  llm = await startHttpServer((response, { url }) => {
    const isStream = url.endsWith('/events');
    const contentType = isStream ? 'text/event-stream' : 'application/json';
    response.writeHead(200, { 'content-type': contentType });
    response.end(isStream ? 'data: because\n\n' : '{"answer":"because"}');
  });
  const targets = [
    { kind: 'Upstream', name: 'llm', upstream: { baseUrl: llm.url } },
    { kind: 'Guard', name: 'mail', cost: { limit: 1, windowMs: 86_400_000 } },
  ];
  const locks = { authority: 'Postgres' };
  sidecar = await startSidecar({
    databaseUrl: database.url,
    redisUrl: redisUrl(),
    targets,
    locks,
  });
  const isReady = await preparePython(checkout, AbortSignal.timeout(170_000));
  if (!isReady) throw new Error('no Python environment');
  mkdirSync(stubs, { recursive: true });
  const env = { ...process.env, PYTHON: python };
  await runCommand(join(checkout, 'examples/python/generate.sh'), [stubs], { env });
}, 180_000);

afterAll(async () => {
  await sidecar.stop();
  await database.drop();
  await llm[Symbol.asyncDispose]();
});

type Language = 'ts' | 'python';

/** Code of a page in one language, its own sidecar in place of the one that the page speaks of. */
function codeOf(path: string, language: Language): string[] {
  const page = readFileSync(join(checkout, path), 'utf8');
  const fenced = [...page.matchAll(/^```(\w+)\n(.*?)^```$/gms)].map(([, kind, code = '']) =>
    kind === 'sh' ? pasted(code) : { kind, code },
  );
  return fenced
    .filter(({ kind }) => kind === language)
    .map(({ code }) => code.replaceAll(/unix:[\w./]+\.sock/g, sidecar.address));
}

/** The program between two EOFs that a shell would hand to node or python. */
function pasted(shell: string): { kind: string; code: string } {
  const [, command = '', code = ''] = /^(.*)<<'EOF'\n(.*)^EOF$/ms.exec(shell) ?? [];
  return { kind: command.includes('node') ? 'ts' : 'python', code };
}

/** What the examples promise to print: the comment behind, or below, whatever prints. */
const promised = (code: string, language: Language): string[] =>
  [
    ...code.matchAll(
      language === 'ts'
        ? /console\.log\(.*\);(?:\n)? *\/\/ (.+)$/gm
        : /print\(.*\)(?:\n)? *# (.+)$/gm,
    ),
  ].map(([, output = '']) => output);

const typeScriptSetup = `
import { inspect } from 'node:util';
import { connect, HoldfastError, type Transaction } from '@holdfast/client';
Object.assign(inspect.defaultOptions, { breakLength: Infinity, compact: 100 });
`;

/** One program of a page's examples, each in a block of its own but for what connects. */
function typeScriptOf(blocks: readonly string[], setup: string): string {
  const bodies = blocks.map((block) => block.replaceAll(/^import .*$/gm, ''));
  return [
    typeScriptSetup,
    setup,
    ...bodies.map((body) => (isSetup(body) ? body : `{\n${body}\n}`)),
  ].join('\n');
}

const isSetup = (code: string): boolean => code.includes('const holdfast = connect(');

function run(language: Language, code: string): Promise<string> {
  const [program, args]: [string, string[]] =
    language === 'ts'
      ? [process.execPath, ['--input-type=module-typescript', '-']]
      : [python, ['-']];
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd: checkout,
      env: { ...process.env, PYTHONPATH: stubs },
      stdio: 'pipe',
      timeout: 30_000,
    });
    const output: string[] = [];
    const errors: string[] = [];
    child.stdout.on('data', (chunk: Buffer) => output.push(chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => errors.push(chunk.toString()));
    child.once('error', reject);
    child.once('close', (status) => {
      if (status === 0) resolve(output.join(''));
      else reject(new Error(`status ${status}\n${output.join('')}\n${errors.join('')}`));
    });
    child.stdin.end(code);
  });
}

const lines = (output: string): string[] => output.trimEnd().split('\n');

async function freshAccounts(): Promise<void> {
  await connectTo(database.url, async (client) => {
    await client.query('drop table if exists accounts');
    await client.query('create table accounts (id int primary key, balance numeric)');
    await client.query('insert into accounts values (1, 100)');
  });
}

test.each(['docs/api.md', 'docs/errors.md', 'docs/locks.md'])(
  'the TypeScript of %s runs and prints what it says',
  async (path) => {
    await freshAccounts();
    const blocks = codeOf(path, 'ts');
    const setup = blocks.some(isSetup)
      ? ''
      : codeOf('docs/api.md', 'ts')
          .find(isSetup)
          ?.replaceAll(/^import .*$/gm, '');
    const end = blocks.some((block) => block.includes('holdfast.close()'))
      ? ''
      : 'await holdfast.close();';
    const output = await run('ts', `${typeScriptOf(blocks, setup ?? '')}\n${end}`);
    expect(lines(output)).toEqual(promised(blocks.join('\n'), 'ts'));
  },
);

test.each(['docs/api.md', 'docs/errors.md'])(
  'the Python of %s runs and prints what it says',
  async (path) => {
    await freshAccounts();
    const blocks = codeOf(path, 'python');
    const connects = (code: string): boolean => code.includes('grpc.insecure_channel');
    const setup = blocks.some(connects) ? [] : codeOf('docs/api.md', 'python').filter(connects);
    const output = await run('python', [...setup, ...blocks].join('\n'));
    expect(lines(output)).toEqual(promised(blocks.join('\n'), 'python'));
  },
);

test('what README.md says to paste runs', async () => {
  const [typeScript = ''] = codeOf('README.md', 'ts');
  expect(lines(await run('ts', typeScript))).toEqual(["[ { id: 1, balance: '89.50' } ]", 'PONG']);
  const [pythonCode = ''] = codeOf('README.md', 'python').filter((code) => code.includes('import'));
  expect(lines(await run('python', pythonCode))).toEqual(['committed', "['1', '99.50'] b'PONG'"]);
});

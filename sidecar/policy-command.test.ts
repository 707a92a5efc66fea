import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

const program = fileURLToPath(new URL('holdfast.ts', import.meta.url));
const examples = fileURLToPath(new URL('../examples/policies', import.meta.url));

/** Runs the command as users do. */
const policy = (args: readonly string[], stdin = ''): Promise<Ended> =>
  new Promise((resolve) => {
    const words = [program, 'policy', ...args];
    const child = execFile(process.execPath, words, { cwd: examples }, (_error, out, err) =>
      resolve({ code: child.exitCode ?? -1, out, err }),
    );
    child.stdin?.end(stdin);
  });

const manifest = (name: string, spec: string): string =>
  `apiVersion: resilience.holdfast.dev/v1alpha1\nkind: ResiliencePolicy\nmetadata: { name: ${name} }\nspec:\n${spec}`;
const bad = manifest('a', '  postgres:\n    - name: a\n      pool: { min: 11 }\n      max: 10\n');

test('of good policies it says what is in them', async () => {
  expect(await policy(['check', 'default.yaml', 'orders-database.yaml'])).toEqual({
    code: 0,
    out: `default.yaml: policy "default" (Enforce): PostgreSQL "default"; Redis "default"; locks
orders-database.yaml: policy "orders-database" (Enforce): PostgreSQL "orders"; targets Postgres "orders"
`,
    err: '',
  });
});

test('the examples are good, and together they lack nothing', async () => {
  expect(await policy(['check', ...readdirSync(examples)])).toMatchObject({ code: 0, err: '' });
});

test('every fault is a line with file, line, column and field, and the others are looked at, too', async () => {
  expect(await policy(['check', '-', 'default.yaml'], bad)).toEqual({
    code: 1,
    out: 'default.yaml: policy "default" (Enforce): PostgreSQL "default"; Redis "default"; locks\n',
    err: `stdin:6:7: spec.postgres[0].secretRef is required
stdin:7:15: spec.postgres[0].pool.min must be at most max (10)
stdin:8:7: spec.postgres[0].max is no known field
`,
  });
});

test('a pool that is not there is a warning: it may come from elsewhere', async () => {
  expect(await policy(['check', 'shadow-rehearsal.yaml'])).toEqual({
    code: 0,
    out: 'shadow-rehearsal.yaml: policy "shadow-rehearsal" (Shadow): targets Postgres "default", Redis "default"\n',
    err: `shadow-rehearsal.yaml:12:7: warning: spec.targets[0].name: no policy here has a PostgreSQL pool "default"; another policy or DATABASE_URL has to name it
shadow-rehearsal.yaml:22:7: warning: spec.targets[1].name: no policy here has a Redis "default"; another policy or REDIS_URL has to name it
`,
  });
});

test('so is one for the books of a budget, for locks or for spans, unless only a rehearsal opens it', async () => {
  const users = `  targets: [{ kind: Guard, name: g, cost: { limit: 1, scope: Fleet, database: books } }]
  locks: { authority: Redis, server: locker }
  tracing: { storeIn: { database: spans } }
`;
  const rehearsed = manifest(
    'b',
    '  mode: Shadow\n  postgres: [{ name: books, secretRef: { name: s } }]\n',
  );
  const { code, err } = await policy(['check', '-'], `${manifest('a', users)}---\n${rehearsed}`);
  expect(code).toBe(0);
  expect(err.split('\n').map((line) => line.split(': ').slice(2, 4).join(': '))).toEqual([
    'spec.targets[0].cost.database: no policy here has a PostgreSQL pool "books"; another policy has to name it',
    'spec.locks.server: no policy here has a Redis "locker"; another policy has to name it',
    'spec.tracing.storeIn.database: no policy here has a PostgreSQL pool "spans"; another policy has to name it',
    '',
  ]);
});

test('what is no file is said, with a code of its own', async () => {
  expect(await policy(['check', 'missing.yaml'])).toMatchObject({
    code: 2,
    out: '',
    err: expect.stringMatching(/^missing\.yaml cannot be read: ENOENT/) as string,
  });
});

test.each([[[]], [['check']], [['lint', 'default.yaml']], [['check', '--strict', 'default.yaml']]])(
  'wrong arguments show how it is used: %j',
  async (args: readonly string[]) => {
    const { code, out, err } = await policy(args);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toMatch(/^usage: holdfast policy check FILE/);
  },
);

test('--help is no fault', async () => {
  const { code, out, err } = await policy(['--help']);
  expect({ code, err }).toEqual({ code: 0, err: '' });
  expect(out).toMatch(/^usage: holdfast policy check FILE/);
});

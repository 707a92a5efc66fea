import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';

interface Case {
  readonly path: string;
  readonly code: string;
  readonly rule: string;
  readonly allowed: boolean;
}

const root = fileURLToPath(new URL('..', import.meta.url));
const imports = 'eslint(no-restricted-imports)';
const globals = 'eslint(no-restricted-globals)';
const properties = 'eslint(no-restricted-properties)';
const environment = 'node(no-process-env)';

const refused = (path: string, code: string, rule: string): Case => ({
  path,
  code: `${code}\n`,
  rule,
  allowed: false,
});
const allowed = (path: string, code: string, rule: string): Case => ({
  path,
  code: `${code}\n`,
  rule,
  allowed: true,
});

/** An import of `specifier` that is used. */
const use = (specifier: string): string =>
  `import { thing } from '${specifier}';\nexport const used: unknown = thing;`;
const useType = (specifier: string): string =>
  `import type { Thing } from '${specifier}';\nexport type Used = Thing;`;

const kubernetes = '@kubernetes/client-node';
const layers = ['grpc', 'resilience', 'postgres', 'redis', 'http', 'policies', 'control'];
const timed = ['sidecar', 'sidecar/redis', 'platform', 'crds', 'controller', 'clients/typescript'];

const cases: readonly Case[] = [
  // main → app → services → layers → platform
  allowed('sidecar/main.ts', use('./app.ts'), imports),
  allowed('sidecar/app.ts', use('./services/locks/thing.ts'), imports),
  refused('sidecar/inward.ts', use('./main.ts'), imports),
  refused('sidecar/sideways.ts', use('../controller/thing.ts'), imports),
  refused('sidecar/services/locks/a.ts', use('../../app.ts'), imports),
  allowed('sidecar/services/locks/b.ts', use('../../postgres/thing.ts'), imports),
  allowed('sidecar/services/locks/c.ts', use('./thing.ts'), imports),
  refused('sidecar/services/locks/d.ts', use('../database/thing.ts'), imports),
  refused('sidecar/services/locks/e.ts', use('../../config.ts'), imports),
  refused('sidecar/services/locks/f.ts', use(kubernetes), imports),
  allowed('sidecar/services/locks/deep/a.ts', use('../thing.ts'), imports),
  refused('sidecar/services/locks/deep/b.ts', use('../../database/thing.ts'), imports),
  allowed('sidecar/services/locks/deep/c.ts', use('../../../postgres/thing.ts'), imports),
  ...layers.flatMap((layer) => [
    refused(`sidecar/${layer}/a.ts`, use('../services/locks/thing.ts'), imports),
    refused(`sidecar/${layer}/b.ts`, use('../app.ts'), imports),
    allowed(`sidecar/${layer}/c.ts`, use('../../platform/thing.ts'), imports),
    refused(`sidecar/${layer}/d.ts`, use('../../controller/thing.ts'), imports),
    refused(`sidecar/${layer}/e.ts`, use(kubernetes), imports),
    refused(`sidecar/${layer}/f.ts`, use('../config.ts'), imports),
    allowed(`sidecar/${layer}/g.ts`, useType('../config.ts'), imports),
  ]),
  refused('controller/kube/a.ts', use('../../sidecar/thing.ts'), imports),
  allowed('controller/kube/b.ts', use(kubernetes), imports),
  ...['platform', 'crds'].flatMap((folder) => [
    refused(`${folder}/a.ts`, use('../sidecar/thing.ts'), imports),
    refused(`${folder}/b.ts`, use('../controller/thing.ts'), imports),
    refused(`${folder}/c.ts`, use(kubernetes), imports),
  ]),
  refused('clients/typescript/a.ts', use('../../sidecar/thing.ts'), imports),
  refused('clients/typescript/b.ts', use('../../controller/thing.ts'), imports),
  allowed('clients/typescript/c.ts', use('./thing.ts'), imports),
  allowed('clients/typescript/d.test.ts', use('../../sidecar/thing.ts'), imports),

  // Time and chance are arguments.
  ...timed.flatMap((folder) => [
    refused(`${folder}/t1.ts`, 'export const a = Date.now();', properties),
    refused(`${folder}/t2.ts`, 'setTimeout(() => {}, 1);', globals),
    refused(`${folder}/t3.ts`, 'setInterval(() => {}, 1);', globals),
    refused(`${folder}/t4.ts`, 'export const a = Math.random();', properties),
    refused(`${folder}/t5.ts`, 'export const a = performance.now();', properties),
    refused(`${folder}/t6.ts`, 'globalThis.setTimeout(() => {}, 1);', globals),
    refused(`${folder}/t7.ts`, use('node:timers/promises'), imports),
  ]),
  allowed('controller/main.ts', 'export const a = Math.random;', properties),
  allowed('platform/clock.ts', 'export const a = Date.now();', properties),
  allowed('sidecar/redis/t.test.ts', 'setTimeout(() => {}, 1);', globals),
  allowed('scripts/t.ts', 'export const a = Date.now();', properties),
  allowed('bench/t.ts', 'export const a = performance.now();', properties),

  // Only the edges read the process.
  refused('sidecar/redis/env.ts', `export const a = process.env['A'];`, environment),
  refused('platform/env.ts', `export const a = process.env['A'];`, environment),
  allowed('sidecar/config.ts', `export const a = process.env['A'];`, environment),
  allowed('scripts/env.ts', `export const a = process.env['A'];`, environment),
  refused('platform/log.ts', `console.log('a');`, 'eslint(no-console)'),

  // Types that are checked, promises that are waited for.
  refused('platform/any.ts', 'export let a: any;', 'typescript(no-explicit-any)'),
  refused(
    'platform/floating.ts',
    'export const f = async (): Promise<void> => {};\nf();',
    'typescript(no-floating-promises)',
  ),
  refused(
    'platform/misused.ts',
    'export const f = async (): Promise<void> => {};\nif (f()) throw new Error();',
    'typescript(no-misused-promises)',
  ),
  refused(
    'platform/unsafe.ts',
    `export const a: string = JSON.parse('"a"');`,
    'typescript(no-unsafe-assignment)',
  ),
  refused(
    'platform/switch.ts',
    `export function f(a: 'x' | 'y'): void {\n  switch (a) {\n    case 'x':\n      break;\n  }\n}`,
    'typescript(switch-exhaustiveness-check)',
  ),

  // The shape of a file.
  refused('platform/unused.ts', 'const a = 1;', 'eslint(no-unused-vars)'),
  refused('platform/default.ts', 'export default 1;', 'import(no-default-export)'),
  refused('platform/camelCase.ts', 'export {};', 'unicorn(filename-case)'),
  refused('platform/long.ts', '//\n'.repeat(301), 'eslint(max-lines)'),
  refused('platform/cycle-a.ts', useType('./cycle-b.ts'), 'import(no-cycle)'),
  refused('platform/cycle-b.ts', useType('./cycle-a.ts'), 'import(no-cycle)'),
  refused(
    'platform/skipped.test.ts',
    `import { test } from 'vitest';\ntest.skip('a', () => {});`,
    'vitest(no-disabled-tests)',
  ),
  refused(
    'platform/mocked.test.ts',
    `import { vi } from 'vitest';\nvi.mock('./thing.ts');`,
    'vitest(no-restricted-vi-methods)',
  ),
];

/** File → rules that objected to it. */
let objections: Map<string, Set<string>>;
let checkout: string;

/** Lints all cases in one go, in a checkout that has this configuration and nothing but them. */
beforeAll(() => {
  checkout = mkdtempSync(join(tmpdir(), 'holdfast-lint-'));
  for (const name of ['.oxlintrc.json', 'tsconfig.json', 'package.json']) {
    cpSync(join(root, name), join(checkout, name));
  }
  symlinkSync(join(root, 'node_modules'), join(checkout, 'node_modules'));
  for (const { path, code } of cases) {
    const file = join(checkout, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, code);
  }
  const oxlint = join(root, 'node_modules/.bin/oxlint');
  const { stdout } = spawnSync(process.execPath, [oxlint, '--format=json'], {
    cwd: checkout,
    encoding: 'utf8',
  });
  const { diagnostics } = JSON.parse(stdout) as {
    diagnostics: { filename: string; code: string }[];
  };
  objections = new Map(cases.map(({ path }) => [path, new Set()]));
  for (const { filename, code } of diagnostics) objections.get(filename)?.add(code);
});

afterAll(() => rmSync(checkout, { recursive: true }));

test('each file stands for one case', () => {
  expect(new Set(cases.map(({ path }) => path)).size).toBe(cases.length);
});

test.each(cases.filter((each) => !each.allowed))('$rule refuses $path', ({ path, rule }) => {
  expect([...(objections.get(path) ?? [])]).toContain(rule);
});

test.each(cases.filter((each) => each.allowed))('$rule allows $path', ({ path, rule }) => {
  expect([...(objections.get(path) ?? [])]).not.toContain(rule);
});

import { execFileSync } from 'node:child_process';
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { nodeAppImage } from '../e2e/cluster/node-runtime.ts';
import { version } from '../platform/version.ts';
import { instructions, runBuildStage } from './container-build.test-kit.ts';

/** The Dockerfile, as far as that goes without Docker. */
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'hf-docker-'));
  runBuildStage(folder);
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const chart = parse(
  readFileSync(fileURLToPath(new URL('../charts/holdfast/Chart.yaml', import.meta.url)), 'utf8'),
) as { readonly appVersion: string };

test('the chart names images of this version', () => {
  expect(chart.appVersion).toBe(version);
});

const programs = ['sidecar', 'controller'] as const;
describe.each(programs)('the image of the %s', (program) => {
  const of = (layer: string): string => join(folder, 'out', layer);
  const app = (): string => join(of(program), 'app');
  /** With its own Node. */
  const run = (...args: readonly string[]): string =>
    execFileSync(join(of('runtime'), nodeAppImage.entrypoint[0]), args, {
      cwd: app(),
      env: {},
      encoding: 'utf8',
    });

  test('is made of what was built, and started as e2e and chart do', () => {
    const layers = ['runtime', program];
    const stage = instructions().filter(({ stage }) => stage === program);
    const copied = stage.filter(({ keyword }) => keyword === 'COPY');
    expect(copied.map(({ rest }) => rest)).toEqual(
      layers.map((layer) => `--from=build /out/${layer}/ /`),
    );
    for (const layer of layers) expect(existsSync(of(layer))).toBe(true);
    const said = Object.fromEntries(stage.map(({ keyword, rest }) => [keyword, rest]));
    expect(said).toMatchObject({
      FROM: `scratch AS ${program}`,
      USER: nodeAppImage.user,
      WORKDIR: nodeAppImage.workdir,
      ENTRYPOINT: JSON.stringify(nodeAppImage.entrypoint),
      CMD: JSON.stringify([`${program}/main.js`]),
    });
  });

  test('starts', () => {
    expect(run(`${program}/main.js`, '--version')).toBe(`${version}\n`);
  });

  test('has JavaScript that only root can change, no shell, and nothing of the other program', () => {
    const other = programs.filter((each) => each !== program).join('');
    expect(existsSync(join(app(), other))).toBe(false);
    expect(globSync('{bin,usr/bin,sbin,usr/sbin}/*', { cwd: of('runtime') })).toEqual([
      'usr/bin/node',
    ]);
    const files = globSync('**/*', { cwd: of(program) });
    const own = files.filter((file) => !file.includes('node_modules/'));
    expect(own.filter((file) => /\.(ts|map|test\.js)$/.test(file))).toEqual([]);
    const modes = files.map((file) => statSync(join(of(program), file)).mode);
    expect(modes.filter((mode) => (mode & 0o022) !== 0 || (mode & 0o444) !== 0o444)).toEqual([]);
  });

  test('has the packages of its bill of materials, and no others', () => {
    const text = readFileSync(join(folder, 'out/sbom', `${program}.spdx.json`), 'utf8');
    const { packages } = JSON.parse(text) as {
      packages: readonly { name: string; packageFileName?: string; versionInfo: string }[];
    };
    expect(packages.map(({ name }) => name)).not.toContain(undefined);
    const listed = packages.map(({ name, versionInfo }) => `${name}@${versionInfo}`);
    const node = `node-linux-${process.arch}@${process.versions.node}`;
    expect(listed).toContain(node);
    const installed = globSync('**/node_modules/{*,@*/*}/package.json', { cwd: app() })
      .filter((path) => /node_modules\/(@[^/]+\/)?[^/@]+\/package\.json$/.test(path))
      .map((path) => JSON.parse(readFileSync(join(app(), path), 'utf8')) as Installed)
      .map(({ name, version }) => `${name}@${version}`);
    const own = [`holdfast-${program}@${version}`, node];
    expect(new Set([...installed, ...own])).toEqual(new Set(listed));
    expect(listed.some((each) => each.startsWith('@kubernetes/client-node@'))).toBe(
      program === 'controller',
    );
  });
});

interface Installed {
  readonly name: string;
  readonly version: string;
}

test.each([
  ['migrations of the chart', 'migrate', '--print', 'create schema'],
  ['kubectl exec', 'inspect', '--help', 'Policies.Inspect'],
])('the image of the sidecar has the command for %s', (_for, command, option, said) => {
  const node = join(folder, 'out/runtime/usr/bin/node');
  const cwd = join(folder, 'out/sidecar/app');
  const args = ['sidecar/holdfast.js', command, option];
  expect(execFileSync(node, args, { cwd, env: {}, encoding: 'utf8' })).toContain(said);
});

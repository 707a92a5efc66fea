/** `npm run build -w @holdfast/client`: the package as it is published, in dist/. Publish that folder. */
import { execFileSync } from 'node:child_process';
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const here = import.meta.dirname;
const repository = join(here, '../..');
const dist = join(here, 'dist');

rmSync(dist, { recursive: true, force: true });
const compiler = join(repository, 'node_modules/.bin/tsc');
execFileSync(process.execPath, [compiler, '--project', 'tsconfig.build.json'], {
  cwd: here,
  stdio: 'inherit',
});
cpSync(join(repository, 'proto'), join(dist, 'proto'), { recursive: true });
cpSync(join(repository, 'LICENSE'), join(dist, 'LICENSE'));
cpSync(join(here, 'README.md'), join(dist, 'README.md'));

const {
  private: _private,
  scripts: _scripts,
  ...manifest
} = JSON.parse(readFileSync(join(here, 'package.json'), 'utf8')) as Record<string, unknown>;
const main = './clients/typescript/index';
const published = {
  ...manifest,
  exports: { types: `${main}.d.ts`, default: `${main}.js` },
};
writeFileSync(join(dist, 'package.json'), `${JSON.stringify(published, null, 2)}\n`);

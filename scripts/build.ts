/** `npm run build`: JavaScript in dist/, with everything beside it that the programs read at run time. */
import { execFileSync } from 'node:child_process';
import { cpSync, globSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const dist = join(root, 'dist');

rmSync(dist, { recursive: true, force: true });
const compiler = join(root, 'node_modules/.bin/tsc');
execFileSync(process.execPath, [compiler, '--project', 'tsconfig.build.json'], {
  cwd: root,
  stdio: 'inherit',
});
const assets = globSync(
  ['{platform,crds,sidecar,controller}/**/*.{sql,lua}', 'proto/**/*.proto', 'package.json'],
  { cwd: root },
);
for (const path of assets) cpSync(join(root, path), join(dist, path));

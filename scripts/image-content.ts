/** `node scripts/image-content.ts sidecar|controller FOLDER`: what an image has below /app, from dist/ and node_modules of this checkout. */
import { cpSync, existsSync, globSync, mkdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { copyModules } from './dev/production-modules.ts';

const checkout = fileURLToPath(new URL('..', import.meta.url));

/** A program that there is an image of. */
export type Program = 'sidecar' | 'controller';

const shared = ['platform', 'crds', 'proto', 'package.json'];

/** Fills a folder with a built program and the packages that it needs: nothing is downloaded. `npm run build` comes first. */
export function copyImageContent(program: Program, folder: string): void {
  const dist = builtFolder(program);
  mkdirSync(folder, { recursive: true });
  for (const name of [...shared, program]) {
    cpSync(join(dist, name), join(folder, name), {
      recursive: true,
      filter: (source) => !source.endsWith('.js.map'),
    });
  }
  copyModules(checkout, packagesOf(program), folder);
}

/** The dependencies that its code names: client-node, for one, is 30 MB that only the controller needs. */
export function packagesOf(program: Program): string[] {
  const text = readFileSync(join(checkout, 'package.json'), 'utf8');
  const { dependencies } = JSON.parse(text) as { dependencies: Record<string, string> };
  const dist = builtFolder(program);
  const files = globSync(`{${[...shared, program].join(',')}}/**/*.js`, { cwd: dist });
  const code = files.map((file) => readFileSync(join(dist, file), 'utf8')).join('\n');
  return Object.keys(dependencies).filter(
    (name) => code.includes(`'${name}'`) || code.includes(`'${name}/`),
  );
}

function builtFolder(program: Program): string {
  const dist = join(checkout, 'dist');
  if (existsSync(join(dist, program, 'main.js'))) return dist;
  throw new Error(`dist/${program}/main.js is missing; type: npm run build`);
}

if (import.meta.main) {
  const [program, folder] = process.argv.slice(2);
  if ((program !== 'sidecar' && program !== 'controller') || folder === undefined) {
    console.error('usage: node scripts/image-content.ts sidecar|controller FOLDER');
    process.exit(64);
  }
  copyImageContent(program, resolve(folder));
}

/** `node scripts/image-sbom.ts sidecar|controller FILE`: by `npm sbom`, what of package-lock.json is in an image, Node among it; SPDX. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { arch, tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { modulesOf } from './dev/production-modules.ts';
import { packagesOf, type Program } from './image-content.ts';

const checkout = fileURLToPath(new URL('..', import.meta.url));

interface Locked {
  readonly version?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
}

/** The bill of materials as JSON text. `npm run build` comes first. */
export function imageSbom(program: Program): string {
  const read = (name: string): string => readFileSync(join(checkout, name), 'utf8');
  const { version, license } = JSON.parse(read('package.json')) as Record<string, string>;
  const { packages } = JSON.parse(read('package-lock.json')) as {
    packages: Record<string, Locked>;
  };
  const roots = [...packagesOf(program), `node-linux-${arch()}`];
  const folders = [...modulesOf(packages, roots)].toSorted();
  const dependencies = Object.fromEntries(
    roots.map((name) => [name, packages[`node_modules/${name}`]?.version]),
  );
  const project = { name: `holdfast-${program}`, version, license, dependencies };

  // npm describes whole projects; so it gets one that has these packages and no others.
  const folder = mkdtempSync(join(tmpdir(), 'hf-sbom-'));
  try {
    const write = (name: string, content: object): void =>
      writeFileSync(join(folder, name), JSON.stringify(content));
    write('package.json', project);
    write('package-lock.json', {
      name: project.name,
      version,
      lockfileVersion: 3,
      packages: {
        '': project,
        ...Object.fromEntries(folders.map((path) => [path, withoutTypes(packages[path])])),
      },
    });
    const args = ['sbom', '--package-lock-only', '--sbom-format=spdx'];
    return execFileSync('npm', args, { cwd: folder, encoding: 'utf8', stdio: 'pipe' });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Types are in no image, and npm would miss them. */
function withoutTypes(locked: Locked = {}): Locked {
  const needed = Object.entries(locked.dependencies ?? {});
  const kept = needed.filter(([name]) => !name.startsWith('@types/'));
  return { ...locked, dependencies: Object.fromEntries(kept) };
}

if (import.meta.main) {
  const [program, file] = process.argv.slice(2);
  if ((program !== 'sidecar' && program !== 'controller') || file === undefined) {
    console.error('usage: node scripts/image-sbom.ts sidecar|controller FILE');
    process.exit(64);
  }
  const path = resolve(file);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, imageSbom(program));
}

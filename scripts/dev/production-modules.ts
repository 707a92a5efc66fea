import { cpSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

interface LockedPackage {
  readonly link?: boolean;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

type Lock = Readonly<Record<string, LockedPackage>>;

/** Half of the bytes, and no program reads them. */
const forDevelopers = /\.(?:map|d\.[cm]?ts|md|tsbuildinfo)$/;

/** Copies from the checkout's node_modules what packages need at run time: nothing is downloaded for an image. */
export function copyModules(checkout: string, roots: readonly string[], target: string): void {
  const text = readFileSync(join(checkout, 'package-lock.json'), 'utf8');
  const { packages } = JSON.parse(text) as { packages: Lock };
  const folders = [...modulesOf(packages, roots)].toSorted();
  for (const folder of folders) {
    const nested = join(checkout, folder, 'node_modules');
    cpSync(join(checkout, folder), join(target, folder), {
      recursive: true,
      // What is below is named by itself, where it is needed.
      filter: (source) => source !== nested && !forDevelopers.test(source),
    });
  }
}

/** Folders of the packages that `roots` need, as a lock names them: `node_modules/a/node_modules/b`. Types are not needed. */
export function modulesOf(lock: Lock, roots: readonly string[]): Set<string> {
  const found = new Set<string>();
  const visit = (from: string, name: string, optional: boolean): void => {
    if (name.startsWith('@types/')) return;
    const folder = resolve(lock, from, name);
    if (folder === undefined) {
      if (optional) return;
      throw new Error(`package-lock.json has no ${name}, which ${from || 'the image'} needs`);
    }
    if (found.has(folder)) return;
    found.add(folder);
    const { dependencies, optionalDependencies, peerDependencies } = lock[folder] ?? {};
    const needs = Object.keys(dependencies ?? {});
    for (const each of needs) visit(folder, each, each in (optionalDependencies ?? {}));
    const mayNeed = [
      ...Object.keys(optionalDependencies ?? {}),
      ...Object.keys(peerDependencies ?? {}),
    ];
    for (const each of mayNeed) visit(folder, each, true);
  };
  for (const root of roots) visit('', root, false);
  return found;
}

/** As Node looks for a package: in the node_modules of the folder and of all above it. */
function resolve(lock: Lock, from: string, name: string): string | undefined {
  const candidate = `${from === '' ? '' : `${from}/`}node_modules/${name}`;
  if (candidate in lock) return candidate;
  if (from === '') return undefined;
  const end = from.lastIndexOf('/node_modules/');
  return resolve(lock, end === -1 ? '' : from.slice(0, end), name);
}

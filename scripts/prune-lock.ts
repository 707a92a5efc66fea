/**
 * Makes package-lock.json acceptable to `npm ci` after `npm install`.
 *
 * npm leaves optional packages of other platforms out of the lock when the registry at hand does not have them, but keeps their names in
 * their parents' `optionalDependencies`; `npm ci` then refuses the lock ("Missing: … from lock file"). This drops those names.
 */
import { readFileSync, writeFileSync } from 'node:fs';

interface LockedPackage {
  optionalDependencies?: Record<string, string>;
}

const path = new URL('../package-lock.json', import.meta.url);
const lock = JSON.parse(readFileSync(path, 'utf8')) as { packages: Record<string, LockedPackage> };

const locked = (name: string, parent: string): boolean =>
  `node_modules/${name}` in lock.packages || `${parent}/node_modules/${name}` in lock.packages;

for (const [parent, { optionalDependencies }] of Object.entries(lock.packages)) {
  for (const name of Object.keys(optionalDependencies ?? {})) {
    if (locked(name, parent)) continue;
    delete optionalDependencies?.[name];
    console.log(`dropped ${name}, optional for ${parent}: not in the registry`);
  }
}
writeFileSync(path, `${JSON.stringify(lock, null, 2)}\n`);

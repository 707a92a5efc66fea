import { readFileSync } from 'node:fs';
import { run } from './tool.ts';

/** Where something is mounted below a folder, the deepest last. */
export const mountsBelow = (folder: string): string[] =>
  readFileSync('/proc/mounts', 'utf8')
    .split('\n')
    // Spaces in a path are \040 there.
    .map((line) => (line.split(' ')[1] ?? '').replaceAll('\\040', ' '))
    .filter((path) => path.startsWith(`${folder}/`));

/** Unmounts all of it; throws when something stays, for removing the folder would reach through it. */
export function unmountBelow(folder: string): void {
  for (const path of mountsBelow(folder).toReversed()) {
    try {
      run('umount', [path]);
    } catch {
      run('umount', ['--lazy', path]);
    }
  }
  const left = mountsBelow(folder);
  if (left.length > 0) throw new Error(`still mounted: ${left.join(', ')}`);
}

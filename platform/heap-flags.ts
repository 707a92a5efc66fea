interface ProcessFacts {
  /** What the process may take in all; undefined when nothing says. */
  readonly memoryBytes: number | undefined;
  /** Flags that Node was started with. */
  readonly execArgv: readonly string[];
  readonly nodeOptions: string;
}

/** In MiB. */
export interface HeapSizes {
  readonly young: number;
  /** Most of the old generation. */
  readonly old: number;
}

const mebibyte = 1024 * 1024;

/**
 * V8's own sizes make it grow instead of collecting: 470 MB resident with 10,000 queries in flight, 210 MB with these, at the same speed. The
 * sidecar's garbage is short-lived: a small young generation keeps the resident memory low at no cost that shows.
 */
export const sidecarHeap: HeapSizes = { young: 4, old: 160 };

/** Caches of a whole cluster live long. */
export const controllerHeap: HeapSizes = { young: 8, old: 1_024 };

const leastOldMebibytes = 64;

/**
 * Whenever so small a young generation is looked at, the calls in flight are in use. From that V8 takes that all of their kind live long, and has them made in
 * the old one from then on, which fills with garbage: a query under a full policy took half as much CPU again.
 */
const noPretenuring = '--no-allocation-site-pretenuring';

/** Flags of V8 for a program that may take so much memory: half of it is for the heap, at most `sizes.old`. What somebody has chosen stays. */
export function heapFlags(
  { memoryBytes, execArgv, nodeOptions }: ProcessFacts,
  sizes: HeapSizes,
): string[] {
  const chosen = `${execArgv.join(' ')} ${nodeOptions}`.replaceAll('_', '-');
  const half = Math.floor((memoryBytes ?? Infinity) / 2 / mebibyte);
  const oldMebibytes = Math.min(sizes.old, Math.max(leastOldMebibytes, half));
  return [
    ['--max-semi-space-size', `--max-semi-space-size=${sizes.young}`] as const,
    ['--max-old-space-size', `--max-old-space-size=${oldMebibytes}`] as const,
    ['allocation-site-pretenuring', noPretenuring] as const,
  ].flatMap(([name, flag]) => (chosen.includes(name) ? [] : [flag]));
}

/**
 * What the process may take in all, in bytes: the setting of a variable, else the cgroup's limit, else undefined. `constrained` is what Node says of
 * the cgroup: 0, or more than there is, for none.
 */
export function memoryLimit(
  setting: string | undefined,
  constrained: number,
  total: number,
): number | undefined {
  if (setting !== undefined && /^\d{1,15}$/.test(setting)) return Number(setting);
  return constrained > 0 && constrained < total ? constrained : undefined;
}

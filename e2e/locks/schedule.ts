import type { Wish } from './lock-client.ts';
import { wishOf } from './wishes.ts';

/** What happens to one sidecar, or between it and who grants locks. */
export interface Fault {
  readonly afterMs: number;
  readonly sidecar: number;
  readonly what:
    | 'cut'
    /** Nothing is passed on, in either direction or in one. */
    | 'stall'
    | 'stall requests'
    | 'stall answers'
    /** No connections. */
    | 'shut'
    /** The sidecar stops and another one comes in its place. */
    | 'restart'
    /** A client's session ends, as if it had been killed. */
    | 'client dies';
  readonly forMs: number;
}

interface Turn extends Wish {
  readonly afterMs: number;
}

/** What a seed says. */
export interface Schedule {
  readonly seed: number;
  /** Of each client its sidecar and what it wants, one after the other. */
  readonly clients: readonly { readonly sidecar: number; readonly turns: readonly Turn[] }[];
  readonly faults: readonly Fault[];
}

interface Bounds {
  readonly sidecars: number;
  readonly clients: number;
  readonly turns: number;
  readonly ttlMs: number;
  /** Of the fence, where locks have one. */
  readonly fence: string;
}

const faultNames: readonly Fault['what'][] = [
  'cut',
  'stall',
  'stall requests',
  'stall answers',
  'shut',
  'client dies',
  'restart',
];

/** A schedule made by chance: of exclusive and shared holders of two names, and of a semaphore, while things break. */
export function scheduleOf(
  seed: number,
  random: () => number,
  { sidecars, clients, turns, ttlMs, fence }: Bounds,
): Schedule {
  const upTo = (most: number): number => Math.floor(random() * most);
  const pick = <T>(all: readonly T[]): T => all[upTo(all.length)] as T;
  const kind = pick(['exclusive', 'mixed', 'mixed', 'semaphore'] as const);
  const names = kind === 'semaphore' ? [`a${seed}`] : [`a${seed}`, `b${seed}`];
  const setting = { random, kind, names, permits: 1 + upTo(3), ttlMs, fence };
  const spanMs = ttlMs * 3;
  return {
    seed,
    clients: Array.from({ length: clients }, (_, at) => ({
      sidecar: at % sidecars,
      turns: Array.from({ length: turns }, () => ({
        // Two sidecars may have the same owner, unless the database has to tell holders apart.
        ...wishOf(setting, `o${fence === '' ? at % 2 : at}`),
        afterMs: upTo(ttlMs / 5),
      })),
    })),
    faults: Array.from({ length: 1 + upTo(4) }, () => ({
      afterMs: upTo(spanMs),
      sidecar: upTo(sidecars),
      what: pick(random() < 0.9 ? faultNames.slice(0, -1) : faultNames),
      forMs: Math.floor(ttlMs * (0.3 + random() * 2)),
    })).toSorted((a, b) => a.afterMs - b.afterMs),
  };
}

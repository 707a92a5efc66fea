import type { LockClient, Wish } from './lock-client.ts';

interface Setting {
  readonly random: () => number;
  /** `mixed`: exclusive and shared. */
  readonly kind: 'exclusive' | 'mixed' | 'semaphore';
  /** In byte order; most wishes are for the first one alone. */
  readonly names: readonly string[];
  readonly permits: number;
  readonly ttlMs: number;
  readonly fence: string;
}

/** What somebody may want, by chance: now and then to hold it for longer than its time to live, not to wait, to give up, several locks, or as an owner. */
export function wishOf(
  { random, kind, names, permits, ttlMs, fence }: Setting,
  owner: string,
): Wish {
  const upTo = (most: number): number => Math.floor(random() * most);
  const isShared = kind === 'mixed' && random() < 0.6;
  const mode = kind === 'semaphore' ? kind : isShared ? 'shared' : 'exclusive';
  return {
    names: random() < 0.2 ? names : names.slice(0, 1),
    mode,
    permits,
    ttlMs: random() < 0.3 ? Math.max(100, Math.floor(ttlMs / 2)) : ttlMs,
    waitMs: random() < 0.15 ? 0 : 50 + upTo(ttlMs * 4),
    owner: random() < 0.2 ? owner : '',
    fence: mode === 'semaphore' ? '' : fence,
    holdMs: random() < 0.15 ? upTo(ttlMs * 2.5) : upTo(ttlMs / 8),
    giveUpMs: random() < 0.1 ? upTo(ttlMs) : undefined,
  };
}

/** Wish after wish. */
export async function hammer(
  client: LockClient,
  wish: () => Wish,
  goesOn: () => boolean,
): Promise<void> {
  while (goesOn()) {
    await client.take(wish());
    // A refusal comes at once where nobody can be asked.
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

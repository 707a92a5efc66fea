import { setTimeout as sleep } from 'node:timers/promises';
import { type Increment, increments } from './counter-work.ts';
import type { Recording } from './history.ts';
import { LockClient, type Wish } from './lock-client.ts';
import { wishOf } from './wishes.ts';

export interface CrowdParts {
  /** Of the process, as the history has it. */
  readonly client: string;
  readonly sidecar: string;
  readonly address: string;
  readonly clients: number;
  /** How many locks of each kind there are. */
  readonly locks: number;
  readonly ttlMs: number;
  readonly random: () => number;
  readonly record: Recording;
  readonly tell: (increment: Increment) => void;
}

/** Names of the counters of so many locks. */
export const counterNames = (locks: number): string[] =>
  Array.from({ length: locks }, (_, nth) => `counter-${nth}`);

/** After a refusal that came at once. */
const restMs = 20;

/** Clients of one sidecar that want one lock after the other: exclusive, shared and counted ones, and counters under fences. */
export async function crowd(parts: CrowdParts, goesOn: () => boolean): Promise<void> {
  const { client, sidecar, address, record } = parts;
  await Promise.all(
    Array.from({ length: parts.clients }, async (_, nth) => {
      const itself = new LockClient({ client, sidecar, address, record });
      let turns = 0;
      while (goesOn()) {
        // Another one each time: of its last work something may be on its way.
        await turn(parts, itself, `${client}-${process.pid}-${nth}-${(turns += 1)}`);
        await sleep(restMs * parts.random());
      }
      await itself.close();
    }),
  );
}

async function turn(parts: CrowdParts, itself: LockClient, holder: string): Promise<void> {
  const { random, ttlMs } = parts;
  const nth = Math.floor(random() * parts.locks);
  const kind = random();
  if (kind < 0.5) return count(parts, itself, holder, nth);
  const wish =
    kind < 0.8
      ? wishOf({ ...mixed(nth), random, permits: 1, ttlMs }, holder)
      : wishOf(
          { kind: 'semaphore', names: [`semaphore-${nth}`], fence: '', random, permits: 3, ttlMs },
          holder,
        );
  await itself.take(wish);
}

const mixed = (nth: number) =>
  ({ kind: 'mixed', names: [`lock-${nth}`, `lock-${nth}b`], fence: '' }) as const;

async function count(
  { random, ttlMs, locks, tell }: CrowdParts,
  itself: LockClient,
  holder: string,
  nth: number,
): Promise<void> {
  const name = counterNames(locks)[nth] as string;
  const isShared = random() < 0.4;
  const wish: Wish = {
    names: [name],
    mode: isShared ? 'shared' : 'exclusive',
    permits: 1,
    ttlMs,
    waitMs: 50 + Math.floor(random() * ttlMs * 4),
    owner: '',
    fence: 'default',
    holdMs: 0,
  };
  const pauseMs = random() < 0.05 ? ttlMs : 10;
  const its = { name, holder, random, pauseMs, isFenced: true, tell };
  const database = itself.holdfast.database();
  await itself.take(wish, (lock) => increments({ ...its, database }, lock, isShared));
}

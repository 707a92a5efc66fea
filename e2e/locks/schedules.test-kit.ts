import { expect } from 'vitest';
import { randomFrom } from '../soak/random.ts';
import { violationsOf } from './checker.ts';
import type { LockEvent } from './history.ts';
import { holdsOf } from './holds.ts';
import type { Lane } from './lane.ts';
import { scheduleOf } from './schedule.ts';

interface Wanted {
  readonly lanes: readonly Lane[];
  readonly schedules: number;
  readonly sidecars: number;
  readonly ttlMs: number;
}

/** What a run of schedules saw, so that a test can say that it saw something. */
export interface Seen {
  granted: number;
  refused: number;
  lost: number;
  contended: number;
}

/** A failing schedule runs again, some times over, with this variable set to its seed. */
const seedVariable = 'HOLDFAST_LOCKS_SEED';
const repetitions = 20;

/** Runs so many random schedules, some at a time; fails with the seed of the first one whose history breaks a promise. */
export async function runSchedules({ lanes, schedules, sidecars, ttlMs }: Wanted): Promise<Seen> {
  const given = process.env[seedVariable];
  const first = given === undefined ? Math.floor(Math.random() * 2 ** 30) : Number(given);
  const seeds =
    given === undefined
      ? Array.from({ length: schedules }, (_, nth) => first + nth)
      : Array.from({ length: repetitions }, () => first);
  console.log(`lock schedules, seeds ${first} to ${seeds.at(-1)}`);
  const seen: Seen = { granted: 0, refused: 0, lost: 0, contended: 0 };
  const left = seeds.values();
  await Promise.all(
    lanes.map(async (lane, nth) => {
      for (const seed of left) {
        const random = randomFrom(seed);
        const fence = random() < 0.5 ? 'default' : '';
        const bounds = { sidecars, clients: 5, turns: 5, ttlMs, fence };
        const { events, stuck } = await lane.run(scheduleOf(seed, random, bounds));
        const holds = holdsOf(events);
        const broken = [
          ...violationsOf(holds).map(({ rule, text }) => `${rule}: ${text}`),
          ...stuck,
        ];
        if (broken.length > 0) console.log(historyText(events));
        expect(broken, `${seedVariable}=${seed} (lane ${nth})`).toEqual([]);
        count(seen, events);
      }
    }),
  );
  return seen;
}

function count(seen: Seen, events: readonly LockEvent[]): void {
  const askedAtMs = new Map<string, number>();
  for (const event of events) {
    if (event.what === 'asked') askedAtMs.set(event.id, event.atMs);
    else if (event.what === 'granted') {
      seen.granted += 1;
      if (event.atMs - (askedAtMs.get(event.id) ?? 0) > 20) seen.contended += 1;
    } else if (event.what === 'refused') seen.refused += 1;
    else if (event.what === 'told') seen.lost += 1;
  }
}

const historyText = (events: readonly LockEvent[]): string =>
  events
    .toSorted((a, b) => a.atMs - b.atMs)
    .map((event) => JSON.stringify(event))
    .join('\n');

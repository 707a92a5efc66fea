import type { LockMode } from '../../clients/typescript/wire/lock-messages.ts';
import { everybody, type LockEvent } from './history.ts';

/** One name of one grant, for as long as its holder was certainly entitled to it. */
export interface Hold {
  readonly id: string;
  readonly name: string;
  readonly mode: LockMode;
  readonly permits: number;
  readonly owner: string;
  readonly fence: string;
  readonly token: bigint;
  readonly askedAtMs: number;
  readonly grantedAtMs: number;
  /** Not after its end; at most `grantedAtMs` when nothing is certain. See `holdsOf`. */
  readonly untilMs: number;
  /** When its release was confirmed; Infinity when it was not. */
  readonly goneAtMs: number;
}

/** News of a process that runs reach the other one so fast. */
const newsMs = 40;

type Asked = Extract<LockEvent, { what: 'asked' }>;
type Paused = Extract<LockEvent, { what: 'paused' }>;
type Killed = Extract<LockEvent, { what: 'killed' }>;

interface Story {
  readonly asked: Asked;
  granted?: Extract<LockEvent, { what: 'granted' }>;
  told?: Extract<LockEvent, { what: 'told' }>;
  releasing?: Extract<LockEvent, { what: 'releasing' }>;
  released?: Extract<LockEvent, { what: 'released' }>;
}

/**
 * What a history says of who held what, and when.
 *
 * A holder holds from the instant at which it got its answer. When its release was confirmed, it held until it sent the release: for that nothing has to be known
 * of pauses, because a lease that was lost in between is not there to be released. Otherwise the end is the earliest of: the release was sent, the loss was told, its
 * client or its sidecar was killed. A loss is an instant on the sidecar's clock, of which the holder hears later when its own process or its sidecar did not run
 * meanwhile. So from that end the time that news take (40 ms) is taken away, and every pause of the two processes that touches it. A holder that is stopped
 * cannot be told: of the time from its stop on this says nothing, that is what fences are for. But no lease ends before its time to live has passed since the lock was asked for:
 * what was lost by time, or belonged to a sidecar that was killed, was held at least so long, though its holder is gone.
 */
export function holdsOf(events: readonly LockEvent[]): Hold[] {
  const stories = new Map<string, Story>();
  const pauses = new Map<string, Paused[]>();
  const kills = new Map<string, Killed[]>();
  let lastMs = 0;
  for (const event of events) {
    lastMs = Math.max(lastMs, event.atMs);
    if (event.what === 'asked') stories.set(event.id, { asked: event });
    else if (event.what === 'paused') listed(pauses, event.process).push(event);
    else if (event.what === 'killed') listed(kills, event.process).push(event);
    else Object.assign(stories.get(event.id) ?? {}, { [event.what]: event });
  }
  const holds: Hold[] = [];
  for (const story of stories.values()) {
    const { asked, granted, released } = story;
    if (granted === undefined) continue;
    const processes = [asked.client, asked.sidecar, everybody];
    const itsPauses = (): Paused[] => processes.flatMap((name) => pauses.get(name) ?? []);
    const killed = processes
      .flatMap((name) => kills.get(name) ?? [])
      .filter(({ atMs }) => atMs >= asked.atMs)
      .toSorted((a, b) => a.atMs - b.atMs)[0];
    const untilMs = endOf(story, killed, itsPauses, lastMs);
    const { id, mode, permits, owner, fence } = asked;
    asked.names.forEach((name, at) =>
      holds.push({
        id,
        name,
        mode,
        permits,
        owner,
        fence,
        untilMs,
        token: BigInt(granted.tokens[at] ?? 0),
        askedAtMs: asked.atMs,
        grantedAtMs: granted.atMs,
        goneAtMs: released?.why === '' ? released.atMs : Infinity,
      }),
    );
  }
  return holds;
}

function endOf(
  { asked, told, releasing, released }: Story,
  killed: Killed | undefined,
  pauses: () => readonly Paused[],
  lastMs: number,
): number {
  if (releasing !== undefined && released?.why === '') return releasing.atMs;
  const end = [releasing, told, killed]
    .filter((event) => event !== undefined)
    .reduce<LockEvent | undefined>(
      (first, event) => (first === undefined || event.atMs < first.atMs ? event : first),
      undefined,
    );
  const knownMs = beforeNews(end?.atMs ?? lastMs, pauses());
  const byTime =
    (end?.what === 'told' && end.why === 'expired') ||
    (end?.what === 'killed' && end.kind === 'sidecar');
  return byTime ? Math.max(knownMs, asked.atMs + asked.ttlMs) : knownMs;
}

/** The latest instant of which whoever heard nothing until then knows that nothing had happened. */
function beforeNews(atMs: number, pauses: readonly Paused[]): number {
  let knownMs = atMs - newsMs;
  const latestFirst = pauses.toSorted((a, b) => b.atMs - a.atMs);
  for (let moved = true; moved;) {
    moved = false;
    for (const { fromMs, atMs: toMs } of latestFirst) {
      if (toMs < knownMs || fromMs - newsMs >= knownMs || fromMs > atMs) continue;
      knownMs = fromMs - newsMs;
      moved = true;
    }
  }
  return knownMs;
}

function listed<T>(map: Map<string, T[]>, key: string): T[] {
  const found = map.get(key) ?? [];
  map.set(key, found);
  return found;
}

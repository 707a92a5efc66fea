import type { Database } from '../../clients/typescript/index.ts';
import { violationsOf } from './checker.ts';
import type { Increment } from './counter-work.ts';
import type { LockEvent } from './history.ts';
import { holdsOf } from './holds.ts';

/** What a history is held against, and what it is worth. */
export interface Verdict {
  readonly broken: readonly string[];
  readonly grants: number;
  readonly losses: number;
  readonly commits: number;
  /** Commits that nobody had told the outcome of. */
  readonly resolved: number;
}

/** What was promised of these locks, and of the counters, whose sum `count` asks for. Asks `database` for the outcomes that nobody was told, and for the sum when none is open. */
export async function verdictOf(
  events: readonly LockEvent[],
  told: readonly Increment[],
  count: () => Promise<number>,
  database: Database,
): Promise<Verdict> {
  const holds = holdsOf(events);
  const last = new Map(told.map((each) => [each.commitId, each.told]));
  const open = [...last].filter(([, how]) => how === 'started' || how === 'unknown');
  let found = 0;
  for (const [commitId] of open) {
    if ((await database.outcome(commitId)) === 'committed') found += 1;
  }
  const commits = [...last.values()].filter((how) => how === 'committed').length + found;
  const broken = violationsOf(holds).map(({ rule, text }) => `${rule}: ${text}`);
  const counted = await count();
  if (commits !== counted) {
    broken.push(`updates: ${commits} were committed, ${counted} are counted`);
  }
  return {
    broken,
    grants: holds.length,
    losses: events.filter(({ what }) => what === 'told').length,
    commits,
    resolved: open.length,
  };
}

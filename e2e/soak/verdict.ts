import { Redis } from 'ioredis';
import type { Database } from '../../clients/typescript/index.ts';
import type { Bed } from './bed.ts';
import type { Ledger } from './ledger.ts';

/** One promise, how often it was put to the test, and where it was broken. */
export interface Promised {
  readonly promise: string;
  readonly checked: number;
  readonly broken: readonly string[];
}

/** Holds what callers were told against what is there. */
export async function truthOf(bed: Bed, ledger: Ledger, db: Database): Promise<Promised[]> {
  const marks = await marksOf(bed, ledger);
  const found = { done: [] as string[], nothing: [] as string[], twice: [] as string[] };
  const asked: string[] = [];
  let outcomes = 0;
  for (const [id, { told, what, hasCommitId }] of ledger.entries) {
    const times = marks.get(id) ?? 0;
    if (told === 'done' && times === 0) found.done.push(`${what} ${id}`);
    if (told === 'nothing' && times > 0) found.nothing.push(`${what} ${id}`);
    if (times > 1) found.twice.push(`${what} ${id}: ${times} times`);
    if (!hasCommitId || told !== 'unknown') continue;
    outcomes += 1;
    const outcome = await db.outcome(id);
    if ((outcome === 'committed') !== times > 0) asked.push(`${what} ${id}: ${outcome}`);
  }
  const count = (told: string): number =>
    [...ledger.entries.values()].filter((entry) => entry.told === told).length;
  return [
    { promise: 'what was confirmed is there', checked: count('done'), broken: found.done },
    { promise: 'what was refused is not there', checked: count('nothing'), broken: found.nothing },
    { promise: 'nothing ran twice', checked: ledger.entries.size, broken: found.twice },
    { promise: 'Outcome tells the truth of what was left open', checked: outcomes, broken: asked },
  ];
}

/** How often the mark of each piece of work is there. */
async function marksOf(bed: Bed, ledger: Ledger): Promise<ReadonlyMap<string, number>> {
  const marks = new Map<string, number>();
  const rows = await bed.query<{ id: string; n: number }>(
    'select id, count(*)::int as n from (table ledger union all table ledger_once) as both_of_them group by id',
  );
  for (const { id, n } of rows) marks.set(id, n);
  const keys = [...ledger.entries].filter(([, { store }]) => store === 'redis').map(([id]) => id);
  const redis = new Redis(bed.redis.url);
  for (let at = 0; at < keys.length; at += 1_000) {
    const some = keys.slice(at, at + 1_000);
    for (const [nth, value] of (await redis.mget(some)).entries()) {
      if (value !== null) marks.set(some[nth] as string, Number(value));
    }
  }
  redis.disconnect();
  return marks;
}

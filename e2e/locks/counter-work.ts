import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Database, Lock, QueryResult, Transaction } from '../../clients/typescript/index.ts';
import { reasonOf } from './lock-client.ts';

/** One increment, as its maker was told: it is `started` before its transaction begins. */
export interface Increment {
  readonly commitId: string;
  readonly told: 'started' | 'committed' | 'refused' | 'unknown';
}

interface CounterParts {
  readonly database: Database;
  /** Of the lock, and of the row. */
  readonly name: string;
  /** Somebody else has another one. */
  readonly holder: string;
  readonly random: () => number;
  /** Longest pause between reading and writing, and before COMMIT, ms. */
  readonly pauseMs: number;
  /** Whether transactions name the lock. */
  readonly isFenced: boolean;
  readonly tell: (increment: Increment) => void;
}

/**
 * A counter whose increments are lost wherever two holders of its lock interleave: it is read, and written with what was read. Exclusive holders have the row of the lock;
 * shared ones a row each, and now and then an exclusive one moves what they have counted into its own.
 */
export const counterSchema = `
  create table counters (lock text primary key, n bigint not null);
  create table shares (lock text, holder text, n bigint not null, primary key (lock, holder))`;

export const newCounterSql = 'insert into counters values ($1, 0)';

/** What was counted. */
export const countSql = `
  select n + (select coalesce(sum(s.n), 0) from shares s where s.lock = c.lock)::bigint as n
  from counters c where lock = $1`;

const isolations = ['read committed', 'repeatable read', 'serializable'] as const;
const readCounter = 'select n from counters where lock = $1';
const readShare = 'select coalesce(max(n), 0) as n from shares where lock = $1 and holder = $2';
const readShares = 'select coalesce(sum(n), 0)::bigint as n from shares where lock = $1';
const writeShare = `insert into shares values ($1, $2, $3)
  on conflict (lock, holder) do update set n = excluded.n`;

type Reader = (sql: string, params: readonly string[]) => Promise<QueryResult>;

/** Increments once to three times under a lock that is held: what it works with is read before the first transaction, or in each. Rejects with what ended it. */
export async function increments(
  parts: CounterParts,
  lock: Lock,
  isShared: boolean,
): Promise<void> {
  const { database, random, pauseMs, isFenced, tell } = parts;
  const step = isShared ? ownShare(parts) : random() < 0.3 ? sweep(parts) : ownRow(parts);
  const times = 1 + Math.floor(random() * 3);
  let known =
    random() < 0.5 ? await step.read((sql, params) => database.query(sql, params)) : undefined;
  for (let nth = 0; nth < times; nth += 1) {
    const commitId = randomUUID();
    tell({ commitId, told: 'started' });
    try {
      await database.transaction(
        async (transaction) => {
          const read = known ?? (await step.read((sql, params) => transaction.query(sql, params)));
          await sleep(random() * pauseMs);
          known = await step.write(transaction, read);
          await sleep(random() * pauseMs);
        },
        {
          commitId,
          isolation: isolations[Math.floor(random() * isolations.length)],
          locks: isFenced ? [lock] : [],
        },
      );
    } catch (error) {
      tell({ commitId, told: reasonOf(error) === 'COMMIT_UNKNOWN' ? 'unknown' : 'refused' });
      throw error;
    }
    tell({ commitId, told: 'committed' });
  }
}

interface Step {
  read(query: Reader): Promise<readonly bigint[]>;
  /** Resolves with what reading again would find. */
  write(transaction: Transaction, read: readonly bigint[]): Promise<readonly bigint[]>;
}

const ownRow = ({ name }: CounterParts): Step => ({
  read: async (query) => [await numberOf(query, readCounter, [name])],
  write: async (transaction, [n = 0n]) => {
    await setCounter(transaction, name, n + 1n);
    return [n + 1n];
  },
});

const ownShare = ({ name, holder }: CounterParts): Step => ({
  read: async (query) => [await numberOf(query, readShare, [name, holder])],
  write: async (transaction, [n = 0n]) => {
    await transaction.query(writeShare, [name, holder, n + 1n]);
    return [n + 1n];
  },
});

const sweep = ({ name }: CounterParts): Step => ({
  read: async (query) => [
    await numberOf(query, readCounter, [name]),
    await numberOf(query, readShares, [name]),
  ],
  write: async (transaction, [n = 0n, shares = 0n]) => {
    await setCounter(transaction, name, n + shares + 1n);
    await transaction.query('update shares set n = 0 where lock = $1 and n > 0', [name]);
    return [n + shares + 1n, 0n];
  },
});

const setCounter = (transaction: Transaction, name: string, n: bigint): Promise<unknown> =>
  transaction.query('update counters set n = $2 where lock = $1', [name, n]);

async function numberOf(query: Reader, sql: string, params: readonly string[]): Promise<bigint> {
  const { rows } = await query(sql, params);
  return BigInt((rows[0]?.['n'] ?? 0) as number | bigint | string);
}

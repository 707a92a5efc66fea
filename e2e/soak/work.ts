import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Database, Holdfast, HoldfastError, Redis } from '../../clients/typescript/index.ts';
import { type Ledger, toldBy } from './ledger.ts';

interface Parts {
  readonly db: Database;
  readonly redis: Redis;
  readonly ledger: Ledger;
}

const insert = 'insert into ledger values ($1)';
/** Into a table with a key: it is there once however often it runs. */
const insertOnce = 'insert into ledger_once values ($1) on conflict do nothing';

interface Write {
  readonly what: string;
  readonly store: 'postgres' | 'redis';
  readonly hasCommitId?: boolean;
  run(parts: Parts, id: string): Promise<unknown>;
}

/** Each leaves one mark, and would leave two if it ran twice. */
const writes: readonly Write[] = [
  { what: 'write', store: 'postgres', run: ({ db }, id) => db.query(insert, [id]) },
  {
    what: 'write with commit_id',
    store: 'postgres',
    hasCommitId: true,
    run: ({ db }, id) => db.query(insert, [id], { commitId: id }),
  },
  {
    what: 'idempotent write',
    store: 'postgres',
    run: ({ db }, id) => db.query(insertOnce, [id], { idempotent: true }),
  },
  {
    what: 'atomic batch',
    store: 'postgres',
    run: ({ db }, id) =>
      db.batch([{ sql: 'select 1' }, { sql: insert, params: [id] }], { atomic: true }),
  },
  {
    what: 'transaction',
    store: 'postgres',
    run: ({ db }, id) =>
      db.transaction(async (tx) => {
        await tx.query('select 1');
        await tx.query(insert, [id]);
      }),
  },
  {
    what: 'transaction with commit_id',
    store: 'postgres',
    hasCommitId: true,
    run: ({ db }, id) => db.transaction((tx) => tx.query(insert, [id]), { commitId: id }),
  },
  {
    what: 'idempotent SET',
    store: 'redis',
    run: ({ redis }, id) => redis.command(['SET', id, '1'], { idempotent: true }),
  },
  {
    what: 'script with operation id',
    store: 'redis',
    run: ({ redis }, id) =>
      redis.script("return redis.call('INCR', KEYS[1])", { keys: [id], operationId: id }),
  },
  { what: 'INCR', store: 'redis', run: ({ redis }, id) => redis.command('INCR', id) },
];

/** Each has an answer that can be checked at once. */
const reads: readonly { readonly what: string; run(parts: Parts): Promise<string | undefined> }[] =
  [
    {
      what: 'read',
      run: async ({ db }) => {
        const asked = Math.floor(performance.now());
        const { rows } = await db.query<{ n: number }>('select $1::int as n', [asked]);
        return rows[0]?.n === asked ? undefined : `asked for ${asked}, got ${rows[0]?.n}`;
      },
    },
    {
      what: 'stream',
      run: async ({ db }) => {
        let expected = 0;
        const numbers = db.stream<{ n: number }>('select generate_series(1, 500) as n', [], {
          deadlineMs: 3_000,
        });
        for await (const { n } of numbers) {
          expected += 1;
          if (n !== expected) return `row ${expected} of a stream is ${n}`;
        }
        return expected === 500 ? undefined : `a stream ended well after ${expected} of 500 rows`;
      },
    },
    {
      what: 'SET, GET',
      run: async ({ redis }) => {
        const value = randomUUID();
        await redis.command('SET', `k:${value}`, value, 'PX', 60_000);
        const got = await redis.command('GET', `k:${value}`);
        return got === value || got === null ? undefined : `GET gave ${String(got)}`;
      },
    },
  ];

/** One after the other, until `goesOn` says no. */
export async function lane(
  nth: number,
  holdfast: Holdfast,
  { ledger, goesOn }: { readonly ledger: Ledger; readonly goesOn: () => boolean },
): Promise<void> {
  const parts = { db: holdfast.database(), redis: holdfast.redis(), ledger };
  for (let turn = nth; goesOn(); turn += 1) {
    const startedAt = performance.now();
    const half = Math.floor(turn / 2);
    const read = turn % 2 === 0 ? reads[half % reads.length] : undefined;
    const write = writes[half % writes.length] as Write;
    if (read === undefined) await runWrite(write, parts);
    else await runRead(read, parts);
    ledger.called((read ?? write).what, performance.now() - startedAt);
    await sleep(1);
  }
}

async function runRead(read: (typeof reads)[number], parts: Parts): Promise<void> {
  const fault = await read.run(parts).catch((error: HoldfastError) => {
    parts.ledger.refused(error.reason);
  });
  if (typeof fault === 'string') parts.ledger.broken.push(fault);
}

async function runWrite(write: Write, parts: Parts): Promise<void> {
  const { ledger } = parts;
  const id = randomUUID();
  const told = await write.run(parts, id).then(
    () => 'done' as const,
    (error: HoldfastError) => {
      ledger.refused(error.reason);
      return toldBy(error.reason);
    },
  );
  const { what, store, hasCommitId = false } = write;
  ledger.wrote(id, { store, told, what, hasCommitId });
}

import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { connect, type HoldfastError } from '../clients/typescript/index.ts';
import { FaultProxy } from '../scripts/faults/fault-proxy.ts';
import { type PostgresServer, type Shutdown, startPostgres } from '../scripts/servers/postgres.ts';
import { beside } from './postgres/database.test-kit.ts';
import { startSidecar } from './sidecar.test-kit.ts';

const restarts = 20;
const deadlineMs = 2_000;
const answersPerCut = 200;
/** From a client's deadline to the answer, on a machine that has other work. */
const slackMs = 1_500;
const ways: readonly Shutdown[] = ['fast', 'immediate', 'kill'];

type Told = 'done' | 'nothing' | 'unknown';

/** Work on a table without a key: a statement that ran twice is there twice. */
interface Ledger {
  readonly told: Map<string, Told>;
  slowestMs: number;
  done: number;
  readonly wrong: string[];
}

const toldBy = (error: unknown): Told => {
  const { reason } = error as HoldfastError;
  return reason === 'COMMIT_UNKNOWN' || reason === 'DEADLINE_EXCEEDED' ? 'unknown' : 'nothing';
};

const rowsOf = (server: PostgresServer): Promise<ReadonlyMap<string, number>> =>
  beside(server.url, async (client) => {
    const { rows } = await client.query<{ id: string; n: number }>(
      'select id, count(*)::int as n from log group by id',
    );
    return new Map(rows.map(({ id, n }) => [id, n]));
  });

test(`row "database down / restarting": ${restarts} restarts under load, and answers that are lost`, async () => {
  const server = await startPostgres({ settings: { synchronous_commit: 'on' } });
  await beside(server.url, (client) => client.query('create table log (id uuid not null)'));
  const proxy = await FaultProxy.to({ host: '127.0.0.1', port: server.port }, 'postgresql');
  // A restart seldom falls between a commit and its answer: this does, so that what is repeated wrongly is there twice.
  let answers = 0;
  proxy.rule = ({ type }) => {
    if (type !== 'ReadyForQuery') return undefined;
    answers += 1;
    return answers % answersPerCut === 0 ? { cut: 'before' } : undefined;
  };
  const sidecar = await startSidecar({
    databaseUrl: proxy.through(server.url),
    postgres: { pool: { max: 8 } },
  });
  const holdfast = connect({ address: sidecar.address, deadlineMs });
  const db = holdfast.database();
  const load = { running: true };
  const ledger: Ledger = { told: new Map(), slowestMs: 0, done: 0, wrong: [] };

  const write = (nth: number, id: string): Promise<unknown> => {
    const insert = 'insert into log values ($1)';
    switch (nth % 3) {
      case 0:
        return db.query(insert, [id]);
      case 1:
        return db.batch([{ sql: insert, params: [id] }], { atomic: true });
      default:
        return db.transaction((tx) => tx.query(insert, [id]));
    }
  };
  const lane = async (nth: number): Promise<void> => {
    while (load.running) {
      const id = randomUUID();
      const startedAt = performance.now();
      if (nth % 4 === 3) {
        await db.query<{ n: number }>('select $1::int as n', [nth]).then(
          ({ rows }) => {
            ledger.done += 1;
            if (rows[0]?.n !== nth) ledger.wrong.push(`a read of ${nth} gave ${rows[0]?.n}`);
          },
          () => {},
        );
      } else {
        const told = await write(nth, id).then(() => 'done' as const, toldBy);
        ledger.told.set(id, told);
        if (told === 'done') ledger.done += 1;
      }
      ledger.slowestMs = Math.max(ledger.slowestMs, performance.now() - startedAt);
      await sleep(2);
    }
  };
  const lanes = Array.from({ length: 12 }, (_, nth) => lane(nth));
  const rate = async (): Promise<number> => {
    const before = ledger.done;
    await sleep(250);
    return ledger.done - before;
  };
  await sleep(500);
  const fullRate = await rate();
  expect(fullRate).toBeGreaterThan(20);

  const recoveries: number[] = [];
  for (let nth = 0; nth < restarts; nth += 1) {
    await server.restart(ways[nth % ways.length]);
    const acceptsAt = performance.now();
    while ((await rate()) < fullRate / 2) {
      if (performance.now() - acceptsAt > 20_000) throw new Error('it does not come back');
    }
    recoveries.push(performance.now() - acceptsAt);
  }
  load.running = false;
  await Promise.all(lanes);

  const rows = await rowsOf(server);
  for (const [id, told] of ledger.told) {
    const times = rows.get(id) ?? 0;
    const isTrue = told === 'done' ? times === 1 : told === 'nothing' ? times === 0 : times <= 1;
    if (!isTrue) ledger.wrong.push(`${told} is there ${times} times`);
  }
  console.log(
    `${ledger.told.size} writes, recovered within ${Math.round(Math.max(...recoveries))} ms, slowest call ${Math.round(ledger.slowestMs)} ms`,
  );
  expect(ledger.wrong).toEqual([]);
  expect(Math.max(...recoveries)).toBeLessThan(10_000);
  expect(ledger.slowestMs).toBeLessThan(deadlineMs + slackMs);
  await holdfast.close();
  await sidecar.stop();
  await proxy[Symbol.asyncDispose]();
  await server.stop();
}, 240_000);

import { randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { FaultProxy } from '../../scripts/faults/fault-proxy.ts';
import { type PostgresServer, startPostgres } from '../../scripts/servers/postgres.ts';
import { startStandby } from '../../scripts/servers/standby.ts';
import { HoldfastError } from '../../platform/errors.ts';
import { urlPostgres } from '../settings/targets.ts';
import { aCall, beside, openDatabase, type TestPool, plainBegin } from './database.test-kit.ts';
import { migrate } from './migrate.ts';

const settings = { synchronous_commit: 'on' };

let primary: PostgresServer;
let standby: PostgresServer;
/** Where the standby, the pool and, after the failover, the pool again find their servers. */
let replication: FaultProxy;
let toPrimary: FaultProxy;
let toStandby: FaultProxy;
let pool: TestPool;

beforeEach(async () => {
  primary = await startPostgres({ settings });
  const { connection } = urlPostgres(primary.url, { secretsDir: '', readFile: () => '' });
  await migrate(connection);
  await beside(primary.url, (client) => client.query('create table truth (id uuid primary key)'));
  replication = await FaultProxy.to({ host: '127.0.0.1', port: primary.port }, 'bytes');
  standby = await startStandby(primary, replication.port);
  toPrimary = await FaultProxy.to({ host: '127.0.0.1', port: primary.port }, 'postgresql');
  toStandby = await FaultProxy.to({ host: '127.0.0.1', port: standby.port }, 'bytes');
  pool = openDatabase(toPrimary.through(primary.url), {
    otherPorts: [toStandby.port],
    targetSessionAttrs: 'read-write',
    pool: { max: 12 },
  });
}, 30_000);

afterEach(async () => {
  await pool.close();
  for (const proxy of [replication, toPrimary, toStandby]) await proxy[Symbol.asyncDispose]();
  await standby.stop();
  await primary.stop();
  rmSync(standby.dataDir, { recursive: true, force: true });
}, 30_000);

const insert = (id: string) => ({ sql: 'insert into truth values ($1)', params: [id] });
const idsOn = (server: PostgresServer): Promise<ReadonlySet<string>> =>
  beside(server.url, async (client) => {
    const { rows } = await client.query<{ id: string }>('select id from truth');
    return new Set(rows.map(({ id }) => id));
  });
const lag = (): Promise<number> =>
  beside(primary.url, async (client) => {
    const { rows } = await client.query<{ lag: string | null }>(
      'select pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn) as lag from pg_stat_replication',
    );
    return rows.length === 1 ? Number(rows[0]?.lag ?? 1) : Infinity;
  });
const promote = (): Promise<unknown> =>
  beside(standby.url, (client) => client.query('select pg_promote()'));

test('a standby promoted without the last commits is never taken for the server that had them', async () => {
  await expect.poll(lag, { timeout: 10_000 }).toBe(0);
  await toStandby.shut();
  await replication.shut();

  const works = Array.from({ length: 10 }, (_, nth) => ({
    id: randomUUID(),
    ...(nth < 5 ? {} : { commitId: randomUUID() }),
  }));
  const transactions = await Promise.all(
    works.map(async ({ id, commitId }) => {
      const options = commitId === undefined ? plainBegin : { ...plainBegin, commitId };
      const transaction = pool.database.begin(options, aCall());
      await transaction.query(insert(id), aCall());
      return transaction;
    }),
  );
  // All are applied, none is answered, and the server is gone before it could be asked.
  let applied = 0;
  toPrimary.rule = ({ type, text }) => {
    if (type !== 'CommandComplete' || text !== 'COMMIT') return undefined;
    applied += 1;
    return { stall: true };
  };
  const told = Promise.all(
    transactions.map((transaction) =>
      transaction.commit(aCall(20_000)).then(
        () => 'committed',
        (error: unknown) => HoldfastError.from(error).reason,
      ),
    ),
  );
  await expect.poll(() => applied, { timeout: 5_000 }).toBe(works.length);
  const before = await idsOn(primary);
  expect(works.every(({ id }) => before.has(id))).toBe(true);
  await primary.kill();
  await toPrimary.shut();

  await promote();
  // Strangers get the ids of the transactions that were lost, and commit.
  await beside(standby.url, async (client) => {
    for (let nth = 0; nth < 100; nth += 1) {
      await client.query('insert into truth values (gen_random_uuid())');
    }
  });
  await toStandby.reopen();

  const outcomes = await told;
  expect(outcomes.slice(0, 5)).toEqual(Array.from({ length: 5 }, () => 'COMMIT_UNKNOWN'));
  // With a commit_id the new server can be asked: it does not have them, and never will.
  expect(outcomes.slice(5)).toEqual(Array.from({ length: 5 }, () => 'TRANSACTION_ROLLED_BACK'));
  const after = await idsOn(standby);
  expect(works.some(({ id }) => after.has(id))).toBe(false);
}, 40_000);

test('a pool with several hosts goes on at the one that was promoted, and what it said is true there', async () => {
  await expect.poll(lag, { timeout: 10_000 }).toBe(0);
  const load = { running: true };
  const committed: string[] = [];
  const unknown: string[] = [];
  const refused: string[] = [];
  const lane = async (): Promise<void> => {
    while (load.running) {
      const id = randomUUID();
      const told = await pool.database.query(insert(id), aCall(2_000)).then(
        () => 'committed',
        (error: unknown) => HoldfastError.from(error).reason,
      );
      if (told === 'committed') committed.push(id);
      else if (told === 'COMMIT_UNKNOWN') unknown.push(id);
      else refused.push(id);
      await sleep(5);
    }
  };
  const lanes = Array.from({ length: 4 }, lane);
  await sleep(300);
  // In its own time: what it confirmed is on the standby when it is down.
  await primary.shutDown('fast');
  await promote();
  const promotedAt = performance.now();
  const confirmed = committed.length;
  await expect.poll(() => committed.length, { timeout: 10_000 }).toBeGreaterThan(confirmed + 20);
  expect(performance.now() - promotedAt).toBeLessThan(10_000);
  load.running = false;
  await Promise.all(lanes);
  const there = await idsOn(standby);
  expect(committed.filter((id) => !there.has(id))).toEqual([]);
  expect(refused.filter((id) => there.has(id))).toEqual([]);
}, 40_000);

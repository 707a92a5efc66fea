import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connect, type Holdfast } from '../../clients/typescript/index.ts';
import { type FaultProxy, proxyTo } from '../../scripts/faults/fault-proxy.ts';
import { type RedisServer, startRedis } from '../../scripts/servers/redis.ts';
import { endProcess, startTethered } from '../../scripts/servers/tethered-process.ts';
import { testDatabase, type TestDatabase } from '../../scripts/servers/test-database.ts';
import { countSql, counterSchema, newCounterSql } from './counter-work.ts';
import { FleetSidecar } from './fleet-sidecar.ts';
import { lockPolicy } from './lock-policy.ts';

// A holder is stopped past its lease, and a successor comes in between. With the fence nothing is lost; without it something is, every time.

const ttlMs = 600;
const program = fileURLToPath(new URL('holding-app.ts', import.meta.url));

let database: TestDatabase;
let redis: RedisServer;
let observer: pg.Client;
let toPostgres: FaultProxy;
beforeAll(async () => {
  [database, redis] = await Promise.all([testDatabase(), startRedis()]);
  toPostgres = await proxyTo(database.url);
  observer = new pg.Client(database.url);
  await observer.connect();
  await observer.query(counterSchema);
});
afterAll(async () => {
  await observer.end();
  await toPostgres[Symbol.asyncDispose]();
  await redis.stop();
  await database.drop();
});

/** The application that is paused, or whose sidecar is. */
class HoldingApp {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  constructor(address: string, name: string, maxHoldMs: number, isFenced: boolean) {
    const how = isFenced ? 'fenced' : 'unfenced';
    this.#child = startTethered(process.execPath, [program, address, name, `${maxHoldMs}`, how], {
      env: { PATH: process.env['PATH'] },
      stdio: ['pipe', 'pipe', 'inherit'],
      deathSignal: 'SIGTERM',
    });
    const { stdout } = this.#child;
    if (stdout === null) throw new Error('it has an output');
    this.#lines = createInterface({ input: stdout })[Symbol.asyncIterator]();
  }

  async says(): Promise<string> {
    const { value } = (await this.#lines.next()) as { value: string };
    return value;
  }

  async hasSaid(line: string): Promise<void> {
    const said = await this.says();
    if (said !== line) throw new Error(`it said "${said}" in place of "${line}"`);
  }

  goOn(): void {
    this.#child.stdin?.write('go on\n');
  }

  pause(): () => void {
    this.#child.kill('SIGSTOP');
    return () => void this.#child.kill('SIGCONT');
  }

  end(): Promise<void> {
    return endProcess(this.#child, 'SIGKILL', 1_000);
  }
}

interface Case {
  readonly where: 'between read and write' | 'before COMMIT' | 'while COMMIT is under way';
  readonly who: 'its sidecar' | 'the application';
}
const cases: readonly Case[] = [
  { where: 'between read and write', who: 'its sidecar' },
  { where: 'between read and write', who: 'the application' },
  { where: 'before COMMIT', who: 'its sidecar' },
  { where: 'before COMMIT', who: 'the application' },
  { where: 'while COMMIT is under way', who: 'its sidecar' },
];

describe.each(['Redis', 'Postgres'] as const)('over %s', (authority) => {
  let paused: FleetSidecar;
  let other: FleetSidecar;
  let successor: Holdfast;
  let locks = 0;
  beforeAll(async () => {
    const policy = lockPolicy({ authority, ttlMs, maxHoldMs: 10_000, fenceWaitMs: 100 });
    const sidecar = (name: string, databaseUrl: string): FleetSidecar =>
      new FleetSidecar({
        name,
        policy,
        env: { DATABASE_URL: databaseUrl, REDIS_URL: redis.url },
        shiftMs: 0,
        record: () => {},
      });
    paused = sidecar('a', toPostgres.through(database.url));
    other = sidecar('b', database.url);
    await Promise.all([paused.start(), other.start()]);
    successor = connect({ address: other.address, deadlineMs: 20_000 });
  });
  afterAll(async () => {
    await successor.close();
    await Promise.all([paused.stop(), other.stop()]);
  });

  /** Resolves with how the holder ended, how many commits were told, and what was counted. */
  async function run({ where, who }: Case, isFenced: boolean) {
    locks += 1;
    const name = `${authority}${locks}`;
    await observer.query(newCounterSql, [name]);
    const maxHoldMs = who === 'the application' ? 800 : 10_000;
    const app = new HoldingApp(paused.address, name, maxHoldMs, isFenced);
    await app.hasSaid('read');
    if (where !== 'between read and write') {
      app.goOn();
      await app.hasSaid('written');
    }
    if (where === 'while COMMIT is under way') {
      const sent = new Promise<void>((resolve) => {
        toPostgres.rule = ({ text }) => {
          if (!/^commit/i.test(text)) return undefined;
          // Once: each message that stalls has to be released by itself.
          toPostgres.rule = undefined;
          resolve();
          return { stall: true };
        };
      });
      app.goOn();
      await sent;
    }
    const resume = who === 'its sidecar' ? paused.pause() : app.pause();
    const steps = succeed(name, isFenced);
    try {
      await steps.read;
      // Without a fence it waits for the row that the holder has written.
      await Promise.race([steps.done, sleep(300)]);
    } finally {
      toPostgres.release();
      resume();
    }
    if (where !== 'while COMMIT is under way') app.goOn();
    if (where === 'between read and write') app.goOn();
    let end = await app.says();
    if (end === 'written') end = await app.says();
    await steps.done;
    await app.end();
    const { rows } = await observer.query<{ n: string }>(countSql, [name]);
    return { end, commits: end === 'committed' ? 2 : 1, counted: Number(rows[0]?.n) };
  }

  function succeed(name: string, isFenced: boolean): { read: Promise<void>; done: Promise<void> } {
    const db = successor.database();
    const held = (async () => {
      const fence = isFenced ? 'default' : '';
      const lock = await successor.locks().acquire(name, { fence });
      const { rows } = await db.query<{ n: number }>('select n from counters where lock = $1', [
        name,
      ]);
      return { lock, n: Number(rows[0]?.n) };
    })();
    const done = held.then(async ({ lock, n }) => {
      const sql = 'update counters set n = $2 where lock = $1';
      await db.transaction((transaction) => transaction.query(sql, [name, n + 1]), {
        locks: isFenced ? [lock] : [],
      });
      await lock.release();
    });
    return { read: held.then(() => {}), done };
  }

  test.each(cases)('fenced: $who is stopped $where', async (each) => {
    const { end, commits, counted } = await run(each, true);
    expect(end).toMatch(
      /^failed (FENCED|LOCK_LOST|TRANSACTION_ROLLED_BACK|CONNECTION_LOST|DATABASE_UNAVAILABLE|DATABASE_ERROR)$/,
    );
    expect(counted).toBe(commits);
  });

  test.each(cases)(
    'without a fence the same loses an update: $who is stopped $where',
    async (each) => {
      const { end, commits, counted } = await run(each, false);
      expect(end).toBe('committed');
      expect(counted).toBe(commits - 1);
    },
  );
});

import type { ChildProcess } from 'node:child_process';
import { rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { connect } from '../clients/typescript/index.ts';
import { type SidecarProcess, startSidecarProcess } from '../scripts/servers/sidecar.ts';
import { endProcess, startTethered } from '../scripts/servers/tethered-process.ts';
import { testDatabase, type TestDatabase } from '../scripts/servers/test-database.ts';
import { temporaryFolder } from '../scripts/servers/temporary-folder.ts';

const seconds = 8;
const limit = 1_000_000;
const price = 300_000;

let database: TestDatabase;
let observer: pg.Client;
beforeAll(async () => {
  database = await testDatabase();
  observer = new pg.Client(database.url);
  await observer.connect();
});
afterAll(async () => {
  await observer.end();
  await database.drop();
});

const policy = stringify({
  apiVersion: 'resilience.holdfast.dev/v1alpha1',
  kind: 'ResiliencePolicy',
  metadata: { name: 'fleet' },
  spec: {
    targets: [
      {
        kind: 'Guard',
        name: 'llm',
        cost: { limit: 1, estimate: 0.3, windowMs: 1_000, reservationMs: 400, scope: 'Fleet' },
      },
    ],
  },
});

/** A sidecar that can be killed, and serves again where it served. */
class Killable {
  #running: SidecarProcess | undefined;
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  get address(): string {
    return `unix:${this.#folder}/s.sock`;
  }

  async start(): Promise<void> {
    const env = { DATABASE_URL: database.url, REDIS_URL: 'off', HOLDFAST_LOG_LEVEL: 'fatal' };
    this.#running = await startSidecarProcess(env, { policy, folder: this.#folder });
  }

  async kill(): Promise<void> {
    const running = this.#running;
    if (running === undefined) return;
    running.process.kill('SIGKILL');
    await running.exited;
  }
}

/** The application, and the letters that it has written in all its lives. */
class Spender {
  letters = '';
  readonly #address: string;
  #process: ChildProcess | undefined;

  constructor(address: string) {
    this.#address = address;
  }

  start(): void {
    const program = fileURLToPath(new URL('spending-app.ts', import.meta.url));
    const child = startTethered(process.execPath, [program, this.#address, '4'], {
      env: { PATH: process.env['PATH'] },
      stdio: ['ignore', 'pipe', 'inherit'],
      deathSignal: 'SIGTERM',
    });
    child.stdout?.on('data', (bytes: Buffer) => (this.letters += bytes.toString()));
    this.#process = child;
  }

  async kill(): Promise<void> {
    if (this.#process !== undefined) await endProcess(this.#process, 'SIGKILL', 1_000);
  }

  count(letter: string): number {
    return this.letters.split(letter).length - 1;
  }
}

interface Books {
  readonly taken: number;
  readonly astray: number;
  readonly settled: number;
  readonly open: number;
  readonly windows: number;
}

/** What the tables say, in one statement. */
async function look(): Promise<Books> {
  const { rows } = await observer.query<Record<keyof Books, string>>(`
    select coalesce(max(w.settled + w.reserved), 0) as taken,
      count(*) filter (where w.reserved <> r.amount or w.overshoot <> 0) as astray,
      coalesce(sum(w.settled), 0) as settled, coalesce(sum(r.open), 0) as open, count(*) as windows
    from holdfast.cost_windows w
    cross join lateral (
      select coalesce(sum(amount), 0) as amount, count(*) as open
      from holdfast.cost_reservations where window_id = w.id and state = 'open'
    ) r`);
  const row = rows[0] as Record<keyof Books, string>;
  return {
    taken: Number(row.taken),
    astray: Number(row.astray),
    settled: Number(row.settled),
    open: Number(row.open),
    windows: Number(row.windows),
  };
}

test('callers, sidecars and connections are killed at random: never more than 1.00 is spent or put aside, and what was granted is charged', async () => {
  const folders = [temporaryFolder('fleet'), temporaryFolder('fleet')];
  const sidecars = folders.map((folder) => new Killable(folder));
  await Promise.all(sidecars.map((each) => each.start()));
  const spenders = [0, 1, 0].map((at) => new Spender((sidecars[at] as Killable).address));
  for (const each of spenders) each.start();

  const watch = { running: true, most: 0, looks: 0, astray: 0 };
  const watching = (async () => {
    while (watch.running) {
      const { taken, astray } = await look();
      watch.most = Math.max(watch.most, taken);
      watch.astray += astray;
      watch.looks += 1;
      await sleep(3);
    }
  })();

  const untilMs = Date.now() + seconds * 1_000;
  const pick = <T>(list: readonly T[]): T => list[Math.floor(Math.random() * list.length)] as T;
  for (let round = 0; Date.now() < untilMs; round += 1) {
    await sleep(250 + Math.random() * 250);
    if (round % 3 === 0) {
      const victim = pick(spenders);
      await victim.kill();
      victim.start();
    } else if (round % 3 === 1) {
      await observer.query(
        `select pg_terminate_backend(pid) from pg_stat_activity
         where datname = current_database() and pid <> pg_backend_pid()`,
      );
    } else {
      const victim = pick(sidecars);
      await victim.kill();
      await victim.start();
    }
  }
  await Promise.all(spenders.map((each) => each.kill()));
  await Promise.all(sidecars.map((each) => each.kill()));
  await sleep(450);

  // Whoever comes next charges what the dead have left behind.
  await sidecars[0]?.start();
  const holdfast = connect({ address: sidecars[0]?.address ?? '' });
  for (let turn = 0; turn < 100 && (await look()).open > 0; turn += 1) {
    await holdfast
      .budget('llm')
      .reserve(0, { key: 'next' })
      .then((each) => each.release());
  }
  await holdfast.close();
  await sidecars[0]?.kill();
  watch.running = false;
  await watching;

  const books = await look();
  const total = (letter: string): number =>
    spenders.reduce((sum, each) => sum + each.count(letter), 0);
  const owed = (total('g') + total('r') - total('l')) * price;
  expect(watch.most).toBe(3 * price);
  expect(watch.most).toBeLessThanOrEqual(limit);
  expect(watch.astray).toBe(0);
  expect(books.open).toBe(0);
  expect(books.settled).toBeGreaterThanOrEqual(owed);
  // It did happen.
  expect(total('g')).toBeGreaterThan(8);
  expect(total('r')).toBeGreaterThan(8);
  expect(books.windows).toBeGreaterThan(8);
  expect(watch.looks).toBeGreaterThan(100);
  for (const folder of folders) rmSync(folder, { recursive: true });
});

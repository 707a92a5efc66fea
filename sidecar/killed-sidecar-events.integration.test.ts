import { randomInt, randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { connect, type CommittedEvent, type Holdfast } from '../clients/typescript/index.ts';
import { startSidecarProcess, type SidecarProcess } from '../scripts/servers/sidecar.ts';
import { testDatabase } from '../scripts/servers/test-database.ts';
import { beside } from './postgres/database.test-kit.ts';

const commits = 1_000;
const lanes = 12;
const keys = 7;

/** A sidecar that is killed now and then, and comes back where it was. */
class Mortal {
  readonly #env: Readonly<Record<string, string>>;
  readonly #folder = mkdtempSync(join(tmpdir(), 'hf-'));
  #process: SidecarProcess | undefined;

  constructor(env: Readonly<Record<string, string>>) {
    this.#env = env;
  }

  async start(): Promise<Holdfast> {
    this.#process = await startSidecarProcess(this.#env, { folder: this.#folder });
    return connect({ address: this.#process.address, deadlineMs: 5_000 });
  }

  async dieAndReturn(): Promise<void> {
    const { pid, exited } = this.#process as SidecarProcess;
    process.kill(pid, 'SIGKILL');
    await exited;
    this.#process = await startSidecarProcess(this.#env, { folder: this.#folder });
  }

  async stop(): Promise<void> {
    await this.#process?.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** What is wrong with what a subscriber got, repeats included. */
function faultsOf(events: readonly CommittedEvent[], committed: ReadonlySet<string>): string[] {
  const faults: string[] = [];
  const bySeq = new Map<string, string>();
  const newest = new Map<string, number>();
  const nths = new Map<string, number>();
  for (const { key, seq, payload } of events) {
    const text = payload.toString();
    const [lane = '', nth = '', id = ''] = text.split(' ');
    if (!committed.has(id)) faults.push(`${text} was not committed`);
    const known = bySeq.get(`${key} ${seq}`);
    if (known !== undefined && known !== text) faults.push(`${key} ${seq} is ${known} and ${text}`);
    bySeq.set(`${key} ${seq}`, text);
    const last = newest.get(key) ?? 0;
    if (seq > last + 1) faults.push(`${key} goes from ${last} to ${seq}`);
    if (seq <= last) continue; // again
    newest.set(key, seq);
    // Those of one lane and key were committed one after the other.
    const before = nths.get(`${key} ${lane}`) ?? -1;
    if (Number(nth) <= before) faults.push(`${text} of ${key} comes behind ${before}`);
    nths.set(`${key} ${lane}`, Number(nth));
  }
  const got = new Set([...bySeq.values()].map((text) => text.split(' ')[2]));
  for (const id of committed) if (!got.has(id)) faults.push(`${id} never came`);
  return faults;
}

test('row "sidecar killed", events: of 1,000 commits every one arrives, at least once and in order, and of rollbacks none', async () => {
  const server = await testDatabase();
  await beside(server.url, (client) => client.query('create table work (id uuid primary key)'));
  const env = { DATABASE_URL: server.url, REDIS_URL: 'off' };
  const [writing, reading] = [new Mortal(env), new Mortal(env)];
  const [writer, reader] = await Promise.all([writing.start(), reading.start()]);

  const controller = new AbortController();
  const got: readonly CommittedEvent[][] = [[], []];
  const subscriptions = got.map((events, nth) =>
    reader
      .events()
      .subscribe({ subscriber: `subscriber ${nth}`, signal: controller.signal }, (event) => {
        events.push(event);
      }),
  );

  const load = { confirmed: 0, unconfirmed: 0 };
  const lane = async (of: number): Promise<void> => {
    for (let nth = 0; load.confirmed < commits; nth += 1) {
      const id = randomUUID();
      const event = { topic: 'work', key: `k${nth % keys}`, payload: `${of} ${nth} ${id}` };
      const work = writer.database().transaction(async (tx) => {
        await tx.query('insert into work values ($1)', [id]);
        if (nth % 5 === 4) throw new Error('rolled back on purpose');
        await tx.commit({ events: [event] });
      });
      await work.then(
        () => (load.confirmed += 1),
        () => (load.unconfirmed += 1),
      );
    }
  };
  const working = Promise.all(Array.from({ length: lanes }, (_, of) => lane(of)));
  let kills = 0;
  while (load.confirmed < commits) {
    await sleep(randomInt(50, 350));
    await (kills % 3 === 2 ? reading : writing).dieAndReturn();
    kills += 1;
  }
  await working;

  const committed = await beside(server.url, async (client) => {
    // What a killed sidecar has left open ends by itself.
    await expect
      .poll(async () => {
        const { rows } = await client.query<{ open: string }>(
          `select count(*) as open from pg_stat_activity where state <> 'idle' and datname = current_database() and pid <> pg_backend_pid()`,
        );
        return Number(rows[0]?.open);
      })
      .toBe(0);
    const { rows } = await client.query<{ id: string }>('select id from work');
    return new Set(rows.map(({ id }) => id));
  });
  const distinct = (events: readonly CommittedEvent[]): number =>
    new Set(events.map(({ payload }) => payload.toString())).size;
  await expect
    .poll(() => got.map(distinct), { timeout: 20_000 })
    .toEqual([committed.size, committed.size]);
  controller.abort();
  await Promise.all(subscriptions);
  expect(got.map((events) => faultsOf(events, committed))).toEqual([[], []]);
  expect(committed.size).toBeGreaterThanOrEqual(commits);
  expect(kills).toBeGreaterThanOrEqual(3);
  expect(load.unconfirmed).toBeGreaterThan(0);

  await Promise.all([writer.close(), reader.close()]);
  await Promise.all([writing.stop(), reading.stop()]);
  await server.drop();
}, 90_000);

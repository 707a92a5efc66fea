import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { connect } from '../clients/typescript/index.ts';
import { testDatabase } from '../scripts/servers/test-database.ts';
import { beside } from './postgres/database.test-kit.ts';
import { startSidecar } from './sidecar.test-kit.ts';

/** Backends of a role, by process id. */
const sessionsOf = (url: string, role: string): Promise<readonly number[]> =>
  beside(url, async (client) => {
    const { rows } = await client.query<{ pid: number }>(
      'select pid from pg_stat_activity where usename = $1',
      [role],
    );
    return rows.map(({ pid }) => pid);
  });

test('the password of the database is rotated under load, and no call fails', async () => {
  const server = await testDatabase();
  await beside(server.url, (client) =>
    client.query(`create role rotated login password 'first'; create table work (id int);
      grant select, insert on work to rotated`),
  );
  const url = new URL(server.url);
  url.username = 'rotated';
  url.password = 'first';
  const sidecar = await startSidecar({
    databaseUrl: url.href,
    postgres: { pool: { min: 2, max: 6 } },
  });
  const holdfast = connect({ address: sidecar.address });
  const db = holdfast.database();
  const load = { running: true };
  let done = 0;
  const failures: unknown[] = [];
  const lane = async (nth: number): Promise<void> => {
    while (load.running) {
      const work =
        nth % 3 === 0
          ? db.transaction((tx) => tx.query('insert into work values (1)'))
          : db.query(nth % 3 === 1 ? 'select 1' : 'insert into work values (2)');
      await work.then(
        () => (done += 1),
        (error: unknown) => failures.push(error),
      );
    }
  };
  const lanes = Array.from({ length: 9 }, (_, nth) => lane(nth));
  await sleep(300);
  const before = await sessionsOf(server.url, 'rotated');

  await beside(server.url, (client) => client.query(`alter role rotated password 'second'`));
  await sleep(300); // the mounted secret comes later
  url.password = 'second';
  writeFileSync(join(sidecar.folder, 'secrets/postgres/url'), url.href);
  const allNew = async (): Promise<number> => {
    const now = await sessionsOf(server.url, 'rotated');
    return now.filter((pid) => before.includes(pid)).length;
  };
  await expect.poll(allNew, { timeout: 15_000, interval: 200 }).toBe(0);
  await sleep(200);
  load.running = false;
  await Promise.all(lanes);
  expect(failures).toEqual([]);
  expect(done).toBeGreaterThan(100);
  expect((await sessionsOf(server.url, 'rotated')).length).toBeGreaterThan(0);
  await holdfast.close();
  await sidecar.stop();
  await beside(server.url, (client) => client.query('drop table work'));
  await server.drop();
}, 30_000);

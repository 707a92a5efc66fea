import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { connect } from '../clients/typescript/index.ts';
import { startSidecarProcess } from '../scripts/servers/sidecar.ts';
import { testDatabase } from '../scripts/servers/test-database.ts';
import { beside } from './postgres/database.test-kit.ts';

const rounds = 3;

test('row "sidecar killed": what it was committing is known to the next one by its commit_id', async () => {
  const server = await testDatabase();
  await beside(server.url, (client) => client.query('create table work (id uuid primary key)'));
  const env = { DATABASE_URL: server.url, REDIS_URL: 'off' };
  const confirmed: string[] = [];
  const open: string[] = [];

  for (let round = 0; round < rounds; round += 1) {
    const sidecar = await startSidecarProcess(env);
    const holdfast = connect({ address: sidecar.address, deadlineMs: 5_000 });
    const db = holdfast.database();
    const load = { running: true };
    const lane = async (nth: number): Promise<void> => {
      while (load.running) {
        const id = randomUUID();
        const insert = { sql: 'insert into work values ($1)', params: [id] };
        const options = { commitId: id };
        const work =
          nth % 3 === 0
            ? db.query(insert.sql, insert.params, options)
            : nth % 3 === 1
              ? db.batch([insert], { ...options, atomic: true })
              : db.transaction((tx) => tx.query(insert.sql, insert.params), options);
        await work.then(
          () => confirmed.push(id),
          () => open.push(id),
        );
      }
    };
    const lanes = Array.from({ length: 16 }, (_, nth) => lane(nth));
    await sleep(400 + 100 * round);
    process.kill(sidecar.pid, 'SIGKILL');
    await sleep(20);
    load.running = false;
    await holdfast.close();
    await Promise.all(lanes);
    await sidecar.stop();
  }

  const next = await startSidecarProcess(env);
  const holdfast = connect({ address: next.address, deadlineMs: 10_000 });
  const db = holdfast.database();
  const ids = [...open, ...confirmed.slice(-50)];
  const told = await Promise.all(ids.map((id) => db.outcome(id)));
  const there = await beside(server.url, async (client) => {
    const { rows } = await client.query<{ id: string }>('select id from work');
    return new Set(rows.map(({ id }) => id));
  });
  expect(told).toEqual(ids.map((id) => (there.has(id) ? 'committed' : 'rolled back')));
  expect(confirmed.filter((id) => !there.has(id))).toEqual([]);
  expect(open.length).toBeGreaterThanOrEqual(rounds * 8);
  await holdfast.close();
  await next.stop();
  await server.drop();
}, 60_000);

import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connect, type Holdfast } from '../clients/typescript/index.ts';
import { startSidecarProcess } from '../scripts/servers/sidecar.ts';
import { connectTo } from '../scripts/servers/template-database.ts';
import { redisUrl, testDatabase, type TestDatabase } from '../scripts/servers/test-database.ts';

/** What a sidecar's process has resident after much work of every kind. */

const rounds = 10;
const operations = 10_000;
const inFlight = 32;

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
  await connectTo(database.url, (client) =>
    client.query('create table items (id int primary key generated always as identity, name text)'),
  );
});
afterAll(() => database.drop());

type Operation = (holdfast: Holdfast, index: number) => Promise<unknown>;

const ignored = (work: Promise<unknown>): Promise<unknown> => work.catch(() => {});

/** Every ability, successes and failures; the ratio is that of the list. */
const mix: readonly Operation[] = [
  (holdfast, index) => holdfast.database().query('select $1::int4 as n', [index]),
  (holdfast, index) =>
    holdfast.database().query('insert into items (name) values ($1)', [`n${index}`]),
  // Texts that were never seen before.
  (holdfast, index) => holdfast.database().query(`select ${index} as n`),
  (holdfast) => ignored(holdfast.database().query('select wrong from nowhere')),
  (holdfast, index) =>
    holdfast.database().transaction(async (tx) => {
      await tx.query('select 1');
      await tx.query('update items set name = $1 where id = 1', [`m${index}`]);
    }),
  (holdfast) =>
    ignored(
      holdfast.database().transaction(async (tx) => {
        await tx.query('select 1');
        throw new Error('undo');
      }),
    ),
  (holdfast) => ignored(holdfast.database().query('select pg_sleep(1)', [], { deadlineMs: 2 })),
  (holdfast) => holdfast.database().query("select repeat('x', 20000)"),
  (holdfast, index) => holdfast.redis().command(['SET', `resident:${index % 100}`, 'v']),
  (holdfast, index) => holdfast.redis().command(['GET', `resident:${index % 100}`]),
  (holdfast) => ignored(holdfast.redis().command(['GET'])),
  (holdfast, index) =>
    holdfast.redis().pipeline([
      ['INCR', 'resident:count'],
      ['GET', `resident:${index % 100}`],
    ]),
];

async function round(holdfast: Holdfast): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < operations) {
      const index = next;
      next += 1;
      await mix[index % mix.length]?.(holdfast, index);
    }
  };
  await Promise.all(Array.from({ length: inFlight }, worker));
}

test('ten rounds of 10,000 mixed operations: the resident memory grows by less than 10 MB from the third to the last', async () => {
  const sidecar = await startSidecarProcess({
    DATABASE_URL: database.url,
    REDIS_URL: redisUrl(),
    HOLDFAST_LOG_LEVEL: 'error',
  });
  const residentMegabytes = (): number =>
    Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${sidecar.pid}/status`, 'utf8'))?.[1]) / 1_000;
  const seen: number[] = [];
  for (let at = 0; at < rounds; at += 1) {
    // A client of its own for each round: sessions come and go, too.
    await using holdfast = connect({ address: sidecar.address });
    await round(holdfast);
    await using unary = connect({ address: sidecar.address, transport: 'unary' });
    await Promise.all(mix.slice(0, 8).map((operation, index) => operation(unary, index)));
    seen.push(residentMegabytes());
  }
  console.log(`resident after each round, in MB: ${seen.map(Math.round).join(' ')}`);
  const [, , third = Number.NaN] = seen;
  expect((seen.at(-1) ?? Number.NaN) - third).toBeLessThan(10);
  await sidecar.stop();
});

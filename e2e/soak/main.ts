/** `npm run soak`: mixed load with random faults for a while, then what was promised beside what was seen. */
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { connect } from '../../clients/typescript/index.ts';
import { processUsage } from '../../scripts/servers/process-usage.ts';
import { makeBed } from './bed.ts';
import { faults } from './faults.ts';
import { Ledger } from './ledger.ts';
import { listen } from './subscription.ts';
import { soakLocks } from './locks.ts';
import { randomFrom } from './random.ts';
import { type Promised, truthOf } from './verdict.ts';
import { lane } from './work.ts';

const help = `usage: npm run soak -- [locks] [--minutes N] [--seed N]

Mixed load on a sidecar with a real PostgreSQL and a real Redis, and random faults. Ends with a table of what was promised and what was seen.

  locks         only locks: many sidecars and clients that are killed, stopped and cut off, over Redis and PostgreSQL by turns
  --minutes N   how long; parts of a minute are fine (default 1)
  --seed N      the same faults in the same order (default: a random one, printed)

Exit code: 0 when every promise was kept, 1 when one was not, 64 for wrong arguments.
`;

const deadlineMs = 3_000;
/** From a deadline to the answer, on a machine that has other work. */
const slackMs = 2_000;
const lanes = 12;
const recoveryMs = 10_000;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    minutes: { type: 'string', default: '1' },
    seed: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});
const minutes = Number(values.minutes);
const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));
const [subject, ...more] = positionals;
const isKnown = (subject === undefined || subject === 'locks') && more.length === 0;
if (values.help || !isKnown || !(minutes > 0) || !Number.isInteger(seed)) {
  process.stdout.write(help);
  process.exit(values.help ? 0 : 64);
}
console.log(`soak of ${minutes} min, --seed ${seed}`);
if (subject === 'locks') process.exit(await soakLocks(minutes, seed));

const random = randomFrom(seed);
const bed = await makeBed();
const holdfast = connect({ address: bed.address, deadlineMs });
const ledger = new Ledger();
const load = { running: true };
const work = Promise.all(
  Array.from({ length: lanes }, (_, nth) =>
    lane(nth, holdfast, { ledger, goesOn: () => load.running }),
  ),
);

const listening = listen(holdfast, bed.redis.url, () => load.running);

const happened = new Map<string, number>();
const endAt = performance.now() + minutes * 60_000;
let nextNoteAt = performance.now() + 30_000;
while (performance.now() < endAt) {
  await sleep(300 + random() * 1_200);
  const fault = faults[Math.floor(random() * faults.length)] as (typeof faults)[number];
  await fault.run(bed, random).catch((error: Error) => ledger.broken.push(error.message));
  happened.set(fault.name, (happened.get(fault.name) ?? 0) + 1);
  if (performance.now() < nextNoteAt) continue;
  nextNoteAt += 30_000;
  const leftS = Math.max(0, Math.round((endAt - performance.now()) / 1_000));
  console.log(`${ledger.entries.size} writes, ${leftS} s left`);
}

const recovered = await recovery();
load.running = false;
await work;
const heard = await listening;
const rssMb = processUsage(bed.sidecar.pid).rssMb;
const promises: Promised[] = [
  ...(await truthOf(bed, ledger, holdfast.database())),
  { promise: 'answers are right', checked: sum(ledger.calls), broken: ledger.broken },
  {
    promise: `no call takes longer than its deadline (${deadlineMs} ms, and ${slackMs} for the machine)`,
    checked: sum(ledger.calls),
    broken: ledger.slowestMs > deadlineMs + slackMs ? [`${Math.round(ledger.slowestMs)} ms`] : [],
  },
  {
    promise: 'subscribers get every message in order, or are told of the gap',
    checked: heard.messages,
    broken: heard.broken,
  },
  { promise: `all is well ${recoveryMs} ms after the last fault`, checked: 1, broken: recovered },
  { promise: 'no transaction is left open', checked: 1, broken: await openTransactions() },
];
await holdfast.close();
bed.sidecar.process.kill('SIGTERM');
const code = await bed.sidecar.exited;
promises.push(
  { promise: 'SIGTERM ends with 0', checked: 1, broken: code === 0 ? [] : [`exit code ${code}`] },
  { promise: 'no session is left on the server', checked: 1, broken: await sessions() },
);
await bed.stop();
report();

/** Nothing is refused any more. */
async function recovery(): Promise<string[]> {
  const until = performance.now() + recoveryMs;
  for (;;) {
    const before = sum(ledger.refusals);
    await sleep(2_000);
    const refused = sum(ledger.refusals) - before;
    if (refused === 0) return [];
    if (performance.now() > until) return [`${refused} calls refused in 2 s`];
  }
}

async function openTransactions(): Promise<string[]> {
  const rows = await bed.query<{ query: string }>(
    "select query from pg_stat_activity where state like 'idle in transaction%'",
  );
  return rows.map(({ query }) => query);
}

async function sessions(): Promise<string[]> {
  const rows = await bed.query<{ application_name: string; query: string }>(
    `select application_name, query from pg_stat_activity
     where backend_type = 'client backend' and pid <> pg_backend_pid()`,
  );
  return rows.map(({ application_name: name, query }) => `${name}: ${query}`);
}

function report(): void {
  const line = ([name, count]: [string, number]): string => `  ${`${count}`.padStart(8)}  ${name}`;
  const byName = (counts: ReadonlyMap<string, number>): string =>
    [...counts]
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(line)
      .join('\n');
  console.log(`\nfaults\n${byName(happened)}\n\ncalls\n${byName(ledger.calls)}`);
  console.log(`\nrefusals\n${byName(ledger.refusals)}`);
  console.log(
    `\nslowest call ${Math.round(ledger.slowestMs)} ms, sidecar ${Math.round(rssMb)} MB, ${heard.gaps} gaps`,
  );
  console.log('\n  checked  broken  promise');
  for (const { promise, checked, broken } of promises) {
    console.log(`${`${checked}`.padStart(9)}${`${broken.length}`.padStart(8)}  ${promise}`);
  }
  const broken = promises.flatMap((each) => each.broken.map((how) => `${each.promise}: ${how}`));
  for (const each of broken.slice(0, 20)) console.log(`BROKEN ${each}`);
  console.log(broken.length === 0 ? '\nevery promise was kept' : `\nrepeat it with --seed ${seed}`);
  process.exitCode = broken.length === 0 ? 0 : 1;
}

function sum(counts: ReadonlyMap<string, number>): number {
  let total = 0;
  for (const count of counts.values()) total += count;
  return total;
}

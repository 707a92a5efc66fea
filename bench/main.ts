/** Side-by-side measurements: every subject does the same work in the same run, in turns, and is reported as a ratio. */
import { parseArgs } from 'node:util';
import { queryBench } from './query.ts';
import { redisBench } from './redis.ts';
import { printReport, writeReport } from './report.ts';
import { runBench, type Bench } from './rounds.ts';

const benches: Readonly<Record<string, () => Promise<Bench>>> = {
  query: queryBench,
  redis: redisBench,
};

const help = `usage: npm run bench -- ${Object.keys(benches).join('|')} [options]

  --rounds N    rounds; in each, every subject runs once, in an order that changes (default 5)
  --seconds S   measured time of a run (default 4), after a warm-up of a quarter of it
  --only A,B    these subjects only
  --json FILE   write the figures: {bench, machine, rows: [...], rounds: [...]}
`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '4' },
    only: { type: 'string' },
    json: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});
const make = benches[positionals[0] ?? ''];
if (values.help || make === undefined || positionals.length !== 1) {
  process.stdout.write(help);
  process.exit(values.help ? 0 : 64);
}
const rounds = Number(values.rounds);
const seconds = Number(values.seconds);
if (!(rounds >= 1 && seconds > 0)) {
  process.stderr.write('--rounds and --seconds are numbers above 0\n');
  process.exit(64);
}
const bench = await make();
try {
  const only = values.only?.split(',');
  const report = await runBench(bench, {
    rounds,
    seconds,
    ...(only === undefined ? {} : { only }),
  });
  printReport(report);
  if (values.json !== undefined) writeReport(report, values.json);
} finally {
  await bench.stop();
}
process.exit(0);

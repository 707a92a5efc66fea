/** Side-by-side measurements: every subject does the same work in the same run, in turns, and is reported as a ratio. */
import { parseArgs } from 'node:util';
import { benchControl } from './control/control.ts';
import { locksBench } from './locks.ts';
import { queryBench } from './query.ts';
import { redisBench } from './redis.ts';
import { redisDownBench } from './redis-down.ts';
import { printReport, writeReport } from './report.ts';
import { benchResilience } from './resilience.ts';
import { runBench, type Bench, type RunOptions } from './rounds.ts';

type Benchmark = (options: RunOptions, file: string | undefined) => Promise<void>;

/** Work under load, through what `make` sets up. */
const underLoad =
  (make: () => Promise<Bench>): Benchmark =>
  async (options, file) => {
    const bench = await make();
    try {
      const report = await runBench(bench, options);
      printReport(report);
      if (file !== undefined) writeReport(report, file);
    } finally {
      await bench.stop();
    }
  };

const benches: Readonly<Record<string, Benchmark>> = {
  query: underLoad(queryBench),
  redis: underLoad(redisBench),
  'redis-down': underLoad(redisDownBench),
  resilience: benchResilience,
  locks: underLoad(locksBench),
  control: benchControl,
};

const help = `usage: npm run bench -- ${Object.keys(benches).join('|')} [options]

  --rounds N    rounds; in each, every subject runs once, in an order that changes (default 5)
  --seconds S   measured time of a run (default 4), after a warm-up of a quarter of it; not for resilience
  --only A,B    these subjects only; of control: push, reconcile, allocation
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
const bench = benches[positionals[0] ?? ''];
if (values.help || bench === undefined || positionals.length !== 1) {
  process.stdout.write(help);
  process.exit(values.help ? 0 : 64);
}
const rounds = Number(values.rounds);
const seconds = Number(values.seconds);
if (!(rounds >= 1 && seconds > 0)) {
  process.stderr.write('--rounds and --seconds are numbers above 0\n');
  process.exit(64);
}
const only = values.only?.split(',');
await bench({ rounds, seconds, ...(only === undefined ? {} : { only }) }, values.json);
process.exit(0);

import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { controlPlaneBinaries } from '../../e2e/cluster/binaries.ts';
import { buildBinaries } from '../../e2e/cluster/build-binaries.ts';
import { redisProgram } from '../servers/redis.ts';
import { installRedis } from './system-package.ts';
import { preparePython } from './python-environment.ts';
import { runCommand } from './run-command.ts';
import { step } from './progress.ts';
import { runVitest, type Tally } from './vitest-run.ts';

/** `unit`: the loop of a minute; `all`: what has to pass before a commit; `full`: the long tests too. */
export type Extent = 'unit' | 'all' | 'full';

const checkout = fileURLToPath(new URL('../..', import.meta.url));
const bin = (name: string): string => join(checkout, 'node_modules/.bin', name);
const minuteMs = 60_000;

/** Runs every step, one that fails does not keep the others from running. */
export async function runSteps(extent: Extent, signal: AbortSignal): Promise<Tally> {
  const results: Tally[] = [];
  const check = async (title: string, work: () => Promise<boolean>): Promise<void> => {
    if (signal.aborted) return;
    const caught = async (): Promise<boolean> => {
      try {
        return await work();
      } catch (error) {
        console.log(error);
        return false;
      }
    };
    const good = await step(title, caught, (done) => (done ? 'passed' : 'FAILED'));
    results.push(
      good ? { passed: 1, failed: 0, failures: [] } : { passed: 0, failed: 1, failures: [title] },
    );
  };
  const command = (title: string, program: string, ...args: string[]): Promise<void> =>
    check(title, async () => {
      const { succeeded, output } = await runCommand(program, args, { signal });
      if (!succeeded) console.log(output);
      return succeeded;
    });
  const tests = async (title: string, args: string[], limitMs: number): Promise<void> => {
    if (signal.aborted) return;
    const tally = ({ passed, failed }: Tally): string =>
      failed === 0 ? `all ${passed} passed` : `${failed} of ${passed + failed} FAILED`;
    results.push(await step(title, () => runVitest(args, { limitMs, signal }), tally));
  };

  if (extent === 'unit') {
    await tests('unit tests', ['--project=unit'], 5 * minuteMs);
  } else {
    if (redisProgram() === undefined) {
      await check('installing Redis from the system packages', () => installRedis(signal));
    }
    await check('Python environment of the examples', () => preparePython(checkout, signal));
    // Where they cannot be built (no Go, no registry) the tests that need them are skipped, and their titles say why.
    await step(
      'Kubernetes programs of the tests',
      () => buildBinaries([...controlPlaneBinaries, 'helm'], signal),
      (built) => (built ? 'there' : 'NOT built'),
    );
    await command('lint', bin('oxlint'));
    await command('format', bin('oxfmt'), '--check');
    await command('types', bin('tsc'));
    await command('generated files', process.execPath, 'scripts/generate.ts', '--check');
    await command('dead code', bin('knip'), '--no-progress');
    const projects = ['--project=unit', '--project=integration'];
    await tests('unit and integration tests', [...projects, '--coverage'], 25 * minuteMs);
    const minutes = extent === 'full' ? 4 : 1;
    await command(
      `soak of ${minutes} min`,
      process.execPath,
      'e2e/soak/main.ts',
      `--minutes=${minutes}`,
    );
    if (extent === 'full') {
      // One after the other: some of them measure.
      await tests('long tests', ['--project=long', '--no-file-parallelism'], 30 * minuteMs);
      // 69: no node can be had here, and it has said what is missing.
      const { succeeded, code, output } = await step(
        'end to end on a Kubernetes node',
        () => runCommand(process.execPath, ['e2e/main.ts'], { signal }),
        (done) => (done.succeeded ? 'passed' : done.code === 69 ? 'SKIPPED' : 'FAILED'),
      );
      if (!succeeded) console.log(output);
      if (code !== 69) results.push(tallyOf('end to end', succeeded));
    }
  }
  return {
    passed: results.reduce((sum, { passed }) => sum + passed, 0),
    failed: results.reduce((sum, { failed }) => sum + failed, 0),
    failures: results.flatMap(({ failures }) => failures),
  };
}

const tallyOf = (title: string, good: boolean): Tally =>
  good ? { passed: 1, failed: 0, failures: [] } : { passed: 0, failed: 1, failures: [title] };

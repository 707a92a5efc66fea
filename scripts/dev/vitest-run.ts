import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runCommand } from './run-command.ts';

interface Report {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly assertionResults: readonly { readonly fullName: string; readonly status: string }[];
  }[];
}

/** What came of a run. */
export interface Tally {
  readonly passed: number;
  readonly failed: number;
  /** Names of what failed. */
  readonly failures: readonly string[];
}

interface VitestOptions {
  /** After this time everything is ended, and counts as failed. */
  readonly limitMs: number;
  readonly signal: AbortSignal;
}

const checkout = fileURLToPath(new URL('../..', import.meta.url));

/** Runs vitest, showing what it shows, and counts. A failure that belongs to no test (a gate of coverage, say) counts as one. */
export async function runVitest(
  args: readonly string[],
  { limitMs, signal }: VitestOptions,
): Promise<Tally> {
  const reportFile = join(checkout, '.holdfast/vitest.json');
  mkdirSync(dirname(reportFile), { recursive: true });
  rmSync(reportFile, { force: true });
  const late = AbortSignal.timeout(limitMs);
  const { succeeded } = await runCommand(
    join(checkout, 'node_modules/.bin/vitest'),
    ['run', ...args, '--reporter=default', '--reporter=json', `--outputFile.json=${reportFile}`],
    { live: true, signal: AbortSignal.any([signal, late]) },
  );
  const { passed, failed, failures } = tallyOf(reportFile);
  const besides = [
    ...(late.aborted ? [`ended after ${limitMs / 60_000} minutes`] : []),
    ...(failed === 0 && !succeeded ? ['a failure that belongs to no test'] : []),
  ];
  return {
    passed,
    failed: succeeded ? failed : Math.max(failed, 1),
    failures: [...failures, ...besides],
  };
}

function tallyOf(reportFile: string): Tally {
  let report: Report;
  try {
    report = JSON.parse(readFileSync(reportFile, 'utf8')) as Report;
  } catch {
    return { passed: 0, failed: 1, failures: ['vitest wrote no report'] };
  }
  // A file that cannot be loaded has no tests to count.
  const unloaded = report.testResults.filter(
    ({ status, assertionResults }) => status === 'failed' && assertionResults.length === 0,
  );
  const failures = [
    ...unloaded.map(({ name }) => relative(checkout, name)),
    ...report.testResults.flatMap(({ name, assertionResults }) =>
      assertionResults
        .filter(({ status }) => status === 'failed')
        .map(({ fullName }) => `${relative(checkout, name)}: ${fullName}`),
    ),
  ];
  return {
    passed: report.numPassedTests,
    failed: report.numFailedTests + unloaded.length,
    failures,
  };
}

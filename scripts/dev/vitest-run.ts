import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runCommand } from './run-command.ts';

interface Report {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly testResults: readonly {
    readonly status: string;
    readonly assertionResults: unknown[];
  }[];
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
): Promise<{ passed: number; failed: number }> {
  const reportFile = join(checkout, '.holdfast/vitest.json');
  mkdirSync(dirname(reportFile), { recursive: true });
  rmSync(reportFile, { force: true });
  const late = AbortSignal.timeout(limitMs);
  const { succeeded } = await runCommand(
    join(checkout, 'node_modules/.bin/vitest'),
    ['run', ...args, '--reporter=default', '--reporter=json', `--outputFile.json=${reportFile}`],
    { live: true, signal: AbortSignal.any([signal, late]) },
  );
  if (late.aborted) console.log(`ended after ${limitMs / 60_000} minutes`);
  const { passed, failed } = countsOf(reportFile);
  return { passed, failed: succeeded ? failed : Math.max(failed, 1) };
}

function countsOf(reportFile: string): { passed: number; failed: number } {
  let report: Report;
  try {
    report = JSON.parse(readFileSync(reportFile, 'utf8')) as Report;
  } catch {
    return { passed: 0, failed: 1 };
  }
  // A file that cannot be loaded has no tests to count.
  const unloaded = report.testResults.filter(
    ({ status, assertionResults }) => status === 'failed' && assertionResults.length === 0,
  ).length;
  return { passed: report.numPassedTests, failed: report.numFailedTests + unloaded };
}

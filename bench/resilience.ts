import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { CallsResult } from './calls.ts';
import { machineOf, median, writeFigures } from './report.ts';
import type { RunOptions } from './rounds.ts';

/** Files under bench/subjects/, each in a process of its own; the first is what the others are compared with. */
const subjects = ['bare', 'holdfast', 'cockatiel'];

interface Round extends CallsResult {
  readonly subject: string;
  readonly round: number;
}

const conditions = {
  work: 'an async function that does nothing, one call after the other',
  holdfast:
    'timeout (total and per try), retry with budget, breaker, concurrency, rate; a call context made for each',
  cockatiel: '4.0.0: retry, circuit breaker, bulkhead, timeout; it has no rate and no retry budget',
};

/** What every policy at once costs around a call that does nothing: ns, and bytes that stay. */
export async function benchResilience({ rounds, only }: RunOptions, file?: string): Promise<void> {
  const chosen = subjects.filter((subject) => only?.includes(subject) ?? true);
  const all: Round[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    for (let turn = 0; turn < chosen.length; turn += 1) {
      const subject = chosen[(turn + round) % chosen.length] as string;
      const result = await measure(subject);
      all.push({ subject, round, ...result });
      process.stderr.write(
        `round ${round}/${rounds}  ${subject}: ${result.nsPerCall.toFixed(0)} ns\n`,
      );
    }
  }
  const rows = chosen.map((subject) => rowOf(all.filter((each) => each.subject === subject)));
  for (const [name, value] of Object.entries(conditions)) console.log(`${name}: ${value}`);
  console.log('\nsubject | ns a call | min–max | above bare | bytes retained a call');
  const bare = rows[0]?.nsPerCall ?? 0;
  for (const { subject, nsPerCall, minNs, maxNs, retainedBytes } of rows) {
    const cells = [subject, nsPerCall, `${minNs}–${maxNs}`, nsPerCall - bare, retainedBytes];
    console.log(cells.join(' | '));
  }
  if (file === undefined) return;
  writeFigures({ bench: 'resilience', machine: machineOf(conditions), rows, rounds: all }, file);
}

function rowOf(rounds: readonly Round[]) {
  const timings = rounds.map(({ nsPerCall }) => nsPerCall);
  return {
    subject: rounds[0]?.subject ?? '',
    nsPerCall: Math.round(median(timings)),
    minNs: Math.round(Math.min(...timings)),
    maxNs: Math.round(Math.max(...timings)),
    // The heap shrinks a little by itself.
    retainedBytes: Math.max(
      0,
      Math.round(median(rounds.map((each) => each.retainedBytes)) * 10) / 10,
    ),
  };
}

async function measure(subject: string): Promise<CallsResult> {
  const path = fileURLToPath(new URL(`./subjects/calls-${subject}.ts`, import.meta.url));
  const child = fork(path, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const exited = once(child, 'exit');
  const [result] = (await once(child, 'message')) as [CallsResult];
  await exited;
  return result;
}

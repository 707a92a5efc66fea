import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { processUsage } from '../scripts/servers/process-usage.ts';

/** One way to do the work of a case. */
export interface Subject {
  readonly name: string;
  readonly inFlight: number;
  /** File under bench/subjects/, run in a process of its own, and what it is told. */
  readonly script: string;
  readonly settings: Readonly<Record<string, string | number>>;
  /** The process between client and server; undefined when there is none. */
  readonly middlePid: number | undefined;
}

export interface BenchCase {
  readonly name: string;
  readonly subjects: readonly Subject[];
}

export interface Bench {
  readonly name: string;
  readonly cases: readonly BenchCase[];
  /** Versions and settings that the figures depend on. */
  readonly conditions: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

export interface Measurement {
  readonly case: string;
  readonly subject: string;
  readonly inFlight: number;
  readonly round: number;
  readonly opsPerSec: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
  /** CPU time of the client process for one operation. */
  readonly clientCpuUs: number;
  /** The same of the process in between; 0 without one. */
  readonly serverCpuUs: number;
  /** Resident memory of the process in between, at the end. */
  readonly rssMb: number;
}

/** What the command line asks for. */
export interface RunOptions {
  readonly rounds: number;
  readonly seconds: number;
  readonly only?: readonly string[];
}

export interface BenchReport {
  readonly bench: Bench;
  readonly measurements: readonly Measurement[];
}

/** What a subject's process tells when it is done. */
export interface SubjectResult {
  readonly operations: number;
  readonly seconds: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
  readonly cpuUs: number;
}

export async function runBench(
  bench: Bench,
  { rounds, seconds, only }: RunOptions,
): Promise<BenchReport> {
  const measurements: Measurement[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    for (const { name, subjects } of bench.cases) {
      const chosen = subjects.filter((subject) => only?.includes(subject.name) ?? true);
      // Another order each round: nobody always runs after the same neighbour.
      for (let turn = 0; turn < chosen.length; turn += 1) {
        const subject = chosen[(turn + round) % chosen.length] as Subject;
        const measured = await measure(subject, seconds);
        measurements.push({
          case: name,
          subject: subject.name,
          inFlight: subject.inFlight,
          round,
          ...measured,
        });
        process.stderr.write(
          `round ${round}/${rounds}  ${name}  ${subject.name}: ${Math.round(measured.opsPerSec)}/s\n`,
        );
      }
    }
  }
  return { bench, measurements };
}

type Measured = Pick<
  Measurement,
  'opsPerSec' | 'p50Ms' | 'p95Ms' | 'p99Ms' | 'clientCpuUs' | 'serverCpuUs' | 'rssMb'
>;

/** Runs one subject; the process in between is looked at when the measured time begins and when it ends. */
async function measure(
  { script, inFlight, settings, middlePid }: Subject,
  seconds: number,
): Promise<Measured> {
  const path = fileURLToPath(new URL(`./subjects/${script}`, import.meta.url));
  const child = fork(path, [JSON.stringify({ ...settings, inFlight, seconds })], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const exited = once(child, 'exit');
  const died = exited.then(() => {
    throw new Error(`${script} ended before it was done`);
  });
  died.catch(() => {});
  await Promise.race([once(child, 'message'), died]);
  const before = processUsage(middlePid);
  const [result] = (await Promise.race([once(child, 'message'), died])) as [SubjectResult];
  const after = processUsage(middlePid);
  await exited;
  const { operations } = result;
  return {
    opsPerSec: operations / result.seconds,
    p50Ms: result.p50Ms,
    p95Ms: result.p95Ms,
    p99Ms: result.p99Ms,
    clientCpuUs: result.cpuUs / operations,
    serverCpuUs: (after.cpuUs - before.cpuUs) / operations,
    rssMb: after.rssMb,
  };
}

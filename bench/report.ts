import { writeFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';
import type { BenchReport, Measurement } from './rounds.ts';

type Row = Omit<Measurement, 'round'>;
const figures = [
  'opsPerSec',
  'p50Ms',
  'p95Ms',
  'p99Ms',
  'clientCpuUs',
  'serverCpuUs',
  'rssMb',
] as const;

/** Medians over the rounds, one row for each case and subject. */
function rowsOf({ measurements }: BenchReport): Row[] {
  const groups = Map.groupBy(measurements, (each) => `${each.case} ${each.subject}`);
  return [...groups.values()].map((group) => {
    const [first] = group as [Measurement];
    const medians = Object.fromEntries(
      figures.map((figure) => [figure, round(median(group.map((each) => each[figure])))]),
    );
    return {
      case: first.case,
      subject: first.subject,
      inFlight: first.inFlight,
      ...medians,
    } as Row;
  });
}

/** A table with the spread of the rounds, and each subject as a ratio to the first of its case. */
export function printReport(report: BenchReport): void {
  const rows = rowsOf(report);
  for (const [name, value] of Object.entries(report.bench.conditions)) {
    console.log(`${name}: ${value}`);
  }
  console.log(
    `\n${['case', 'subject', 'in flight', 'ops/s', 'min–max', 'ratio', 'p50 ms', 'p95 ms', 'p99 ms', 'client µs', 'server µs', 'RSS MB'].join(' | ')}`,
  );
  for (const row of rows) {
    const all = report.measurements
      .filter((each) => each.case === row.case && each.subject === row.subject)
      .map((each) => each.opsPerSec);
    const first = rows.find((each) => each.case === row.case) as Row;
    const cells = [
      row.case,
      row.subject,
      row.inFlight,
      Math.round(row.opsPerSec),
      `${Math.round(Math.min(...all))}–${Math.round(Math.max(...all))}`,
      (row.opsPerSec / first.opsPerSec).toFixed(2),
      row.p50Ms.toFixed(2),
      row.p95Ms.toFixed(2),
      row.p99Ms.toFixed(2),
      row.clientCpuUs.toFixed(1),
      row.serverCpuUs.toFixed(1),
      row.rssMb.toFixed(0),
    ];
    console.log(cells.join(' | '));
  }
}

export function writeReport(report: BenchReport, file: string): void {
  const machine = machineOf(report.bench.conditions);
  const rounds = report.measurements.map((each) => ({ ...each, ...rounded(each) }));
  writeFigures({ bench: report.bench.name, machine, rows: rowsOf(report), rounds }, file);
}

/** What figures were measured on, and what they depend on. */
export const machineOf = (conditions: Readonly<Record<string, string>>) => ({
  cpu: cpus()[0]?.model ?? 'unknown',
  cores: cpus().length,
  memoryGb: Math.round(totalmem() / 2 ** 30),
  kernel: release(),
  node: process.version,
  ...conditions,
});

/** Writes a file of bench/results/. */
export const writeFigures = (figures: object, file: string): void =>
  writeFileSync(file, `${JSON.stringify(figures, null, 2)}\n`);

const rounded = (each: Measurement): Record<string, number> =>
  Object.fromEntries(figures.map((figure) => [figure, round(each[figure])]));

const round = (value: number): number => Math.round(value * 1_000) / 1_000;

/** The middle, or the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1
    ? (sorted[middle] as number)
    : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2;
}

import type { SubjectResult } from './rounds.ts';

/** What every subject's process is told on its command line. */
export interface LoadSettings {
  readonly inFlight: number;
  readonly seconds: number;
}

/** The subject says what it was given. */
export const settings: unknown = JSON.parse(process.argv[2] ?? '{}');

/**
 * Repeats `operation`, `inFlight` at a time, first to warm up, then for the measured time, and tells the parent both moments. A number that it gives is its
 * time in ms, instead of how long it took.
 */
export async function load(
  { inFlight, seconds }: LoadSettings,
  operation: () => Promise<number | void>,
): Promise<void> {
  await repeat(operation, inFlight, Math.max(0.5, seconds / 4));
  process.send?.('measuring');
  const cpu = process.cpuUsage();
  const { latencies, elapsedMs } = await repeat(operation, inFlight, seconds);
  const { user, system } = process.cpuUsage(cpu);
  latencies.sort();
  const result: SubjectResult = {
    operations: latencies.length,
    seconds: elapsedMs / 1_000,
    p50Ms: latencies[Math.floor(latencies.length * 0.5)] ?? 0,
    p95Ms: latencies[Math.floor(latencies.length * 0.95)] ?? 0,
    p99Ms: latencies[Math.floor(latencies.length * 0.99)] ?? 0,
    cpuUs: user + system,
  };
  process.send?.(result, () => process.exit(0));
}

async function repeat(
  operation: () => Promise<number | void>,
  inFlight: number,
  seconds: number,
): Promise<{ latencies: Float64Array; elapsedMs: number }> {
  let latencies = new Float64Array(65_536);
  let count = 0;
  const startedAt = performance.now();
  const endAt = startedAt + seconds * 1_000;
  const worker = async (): Promise<void> => {
    let now = performance.now();
    while (now < endAt) {
      const itsMs = await operation();
      const done = performance.now();
      if (count === latencies.length) {
        const roomier = new Float64Array(2 * count);
        roomier.set(latencies);
        latencies = roomier;
      }
      latencies[count] = itsMs ?? done - now;
      count += 1;
      now = done;
    }
  };
  await Promise.all(Array.from({ length: inFlight }, worker));
  return { latencies: latencies.slice(0, count), elapsedMs: performance.now() - startedAt };
}

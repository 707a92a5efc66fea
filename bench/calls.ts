import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** What a subject that only calls tells of a round. */
export interface CallsResult {
  readonly nsPerCall: number;
  /** Of the heap, by each call that has ended; about 0 for a subject that keeps nothing. */
  readonly retainedBytes: number;
}

const warmUpCalls = 300_000;
const batches = 61;
const callsPerBatch = 10_000;
const retainedCalls = 500_000;

/** Work that does nothing and is done at once. */
export const nothing = async (): Promise<void> => {};

/** Times one call after the other in batches, and tells the median of them. */
export async function timeCalls(call: () => Promise<unknown>): Promise<void> {
  for (let each = 0; each < warmUpCalls; each += 1) await call();
  const timings = new Float64Array(batches);
  for (let batch = 0; batch < batches; batch += 1) {
    const startedAt = process.hrtime.bigint();
    for (let each = 0; each < callsPerBatch; each += 1) await call();
    timings[batch] = Number(process.hrtime.bigint() - startedAt) / callsPerBatch;
  }
  timings.sort();
  const nsPerCall = timings[Math.floor(batches / 2)] as number;
  setFlagsFromString('--expose-gc');
  const collectGarbage = runInNewContext('gc') as () => void;
  collectGarbage();
  const before = process.memoryUsage().heapUsed;
  for (let each = 0; each < retainedCalls; each += 1) await call();
  collectGarbage();
  const after = process.memoryUsage().heapUsed;
  const result: CallsResult = { nsPerCall, retainedBytes: (after - before) / retainedCalls };
  process.send?.(result, () => process.exit(0));
  if (process.send === undefined) console.log(result);
}

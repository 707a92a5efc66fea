import { setImmediate as turn } from 'node:timers/promises';
import { HoldfastError } from '../../platform/errors.ts';
import { collectGarbage } from '../grpc/collect-garbage.test-kit.ts';
import { fullPolicy, realTarget } from './full-policy.test-kit.ts';
import { aCall } from './target.test-kit.ts';

const failure = new HoldfastError('unavailable', 'INTERNAL', 'one in a hundred');

/** What calls under every policy leave on the heap, once they have ended: 50 at a time for so long, of which some wait, some fail and are tried again. */
export async function constantLoad(ms: number) {
  const { target } = realTarget(fullPolicy);
  let calls = 0;
  const work = {
    run: async (): Promise<void> => {
      calls += 1;
      await turn();
      if (calls % 100 === 0) throw failure;
    },
    repeatable: () => true,
  };
  const load = async (forMs: number): Promise<void> => {
    const endAt = performance.now() + forMs;
    const worker = async (): Promise<void> => {
      while (performance.now() < endAt) await target.run(aCall(), work).catch(() => {});
    };
    await Promise.all(Array.from({ length: 50 }, worker));
  };
  await load(ms / 4);
  collectGarbage();
  const before = process.memoryUsage().heapUsed;
  calls = 0;
  await load(ms);
  collectGarbage();
  const grownBytes = process.memoryUsage().heapUsed - before;
  return { calls, grownBytes, inFlight: target.gate.inFlight };
}

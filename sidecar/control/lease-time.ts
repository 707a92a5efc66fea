import type { Clock } from '../../platform/clock.ts';

/** A time for leases, in ms: the monotonic clock stands still while a machine is suspended, so it is the later of what both clocks say. */
export function leaseTime(clock: Pick<Clock, 'now' | 'wallNow'>): () => number {
  let [monotonicMs, wallMs, timeMs] = [clock.now(), clock.wallNow(), 0];
  return () => {
    const [nowMs, wallNowMs] = [clock.now(), clock.wallNow()];
    timeMs += Math.max(nowMs - monotonicMs, wallNowMs - wallMs, 0);
    [monotonicMs, wallMs] = [nowMs, wallNowMs];
    return timeMs;
  };
}

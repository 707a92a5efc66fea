import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { GrantEvents } from './grants.ts';

const waitBuckets = [0.001, 0.002, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 30];

/** Metrics of locks; `held` is asked at each scrape. */
export function lockMetrics(registry: Registry, held: () => number): GrantEvents {
  const registers = [registry];
  void new Gauge({
    name: 'holdfast_lock_grants_held',
    help: 'Grants that this sidecar holds.',
    registers,
    collect() {
      this.set(held());
    },
  });
  const waits = new Histogram({
    name: 'holdfast_lock_wait_seconds',
    help: 'Time from Acquire to the grant, fences included.',
    labelNames: ['mode'],
    buckets: waitBuckets,
    registers,
  });
  // To look up labels for each grant takes longer than to count it.
  const byMode = {
    exclusive: waits.labels({ mode: 'exclusive' }),
    shared: waits.labels({ mode: 'shared' }),
    semaphore: waits.labels({ mode: 'semaphore' }),
  };
  const lost = new Counter({
    name: 'holdfast_lock_lost_total',
    help: 'Grants that were lost, by cause: `expired`, `forced`, `held_too_long`.',
    labelNames: ['cause'],
    registers,
  });
  for (const cause of ['expired', 'forced', 'held_too_long']) lost.inc({ cause }, 0);
  return {
    granted: (mode, waitedMs) => byMode[mode].observe(waitedMs / 1_000),
    lost: (loss) => lost.inc({ cause: loss.replaceAll(' ', '_') }),
  };
}

import { Counter, Gauge, type Registry } from 'prom-client';
import type { PermitEvents } from './permits.ts';

/** Metrics of permits. `counts` is asked at each scrape. */
export function guardMetrics(
  registry: Registry,
  counts: () => ReadonlyMap<string, number>,
): PermitEvents {
  void new Gauge({
    name: 'holdfast_guard_permits_open',
    help: 'Permits whose call has not come to its Exit.',
    labelNames: ['target'],
    registers: [registry],
    collect() {
      for (const [target, count] of counts()) this.set({ target }, count);
    },
  });
  const expired = new Counter({
    name: 'holdfast_guard_permits_expired_total',
    help: 'Permits that ended without Exit, with their lease or their session.',
    labelNames: ['target', 'cause'],
    registers: [registry],
  });
  return { expired: (target, cause) => expired.inc({ target, cause }) };
}

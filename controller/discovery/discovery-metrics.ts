import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { TokenRefusal, Unanswered } from './authentication.ts';

/** What the discovery server counts. */
export interface DiscoveryMetrics {
  sent(): void;
  /** In force; `seconds` since the change that led to it, undefined when that is not known. */
  acknowledged(seconds?: number): void;
  rejected(): void;
  refused(reason: TokenRefusal | Unanswered['refused'] | 'missing'): void;
}

/** Counts of sidecars, snapshots and refused tokens; `connected` is read at each scrape. */
export function discoveryMetrics(registry: Registry, connected: () => number): DiscoveryMetrics {
  const registers = [registry];
  const gauge: Gauge = new Gauge({
    name: 'holdfast_controller_sidecars_connected',
    help: 'Sidecars that are connected to this replica.',
    registers,
    collect: () => gauge.set(connected()),
  });
  const sent = new Counter({
    name: 'holdfast_controller_snapshots_sent_total',
    help: 'Policy snapshots sent to sidecars.',
    registers,
  });
  const acknowledged = new Counter({
    name: 'holdfast_controller_snapshots_acknowledged_total',
    help: 'Policy snapshots that sidecars put in force.',
    registers,
  });
  const rejected = new Counter({
    name: 'holdfast_controller_snapshots_rejected_total',
    help: 'Policy snapshots that sidecars refused.',
    registers,
  });
  const push = new Histogram({
    name: 'holdfast_controller_push_seconds',
    help: 'From a change of policies to the acknowledgement of a sidecar.',
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60],
    registers,
  });
  const refused = new Counter({
    name: 'holdfast_controller_token_refusals_total',
    help: 'Streams that were refused for their token, by reason.',
    labelNames: ['reason'],
    registers,
  });
  return {
    sent: () => sent.inc(),
    acknowledged: (seconds) => {
      acknowledged.inc();
      if (seconds !== undefined) push.observe(seconds);
    },
    rejected: () => rejected.inc(),
    refused: (reason) => refused.inc({ reason }),
  };
}

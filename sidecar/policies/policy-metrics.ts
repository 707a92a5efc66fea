import { Counter, Gauge, type Registry } from 'prom-client';

/** What a scrape reads. */
interface PolicyReading {
  readonly version: number;
  readonly faults: readonly string[];
}

/** What is told of changes. */
export interface PolicyEvents {
  applied(): void;
  rejected(): void;
}

/** Metrics of the policy in force; `policy` is read at each scrape. */
export function policyMetrics(registry: Registry, policy: PolicyReading): PolicyEvents {
  const registers = [registry];
  void new Gauge({
    name: 'holdfast_policy_version',
    help: 'Policies that were in force since the start, from 1.',
    registers,
    collect() {
      this.set(policy.version);
    },
  });
  void new Gauge({
    name: 'holdfast_policy_rejected',
    help: '1 while the newest policy file is not in force, because something is wrong with it; else 0.',
    registers,
    collect() {
      this.set(policy.faults.length > 0 ? 1 : 0);
    },
  });
  const applied = new Counter({
    name: 'holdfast_policy_applied_total',
    help: 'Policy files that were put in force after the start.',
    registers,
  });
  const rejected = new Counter({
    name: 'holdfast_policy_rejections_total',
    help: 'Policy files, or other settings, that could not be used.',
    registers,
  });
  return { applied: () => applied.inc(), rejected: () => rejected.inc() };
}

import { Counter, Gauge, type Registry } from 'prom-client';

/** What a scrape reads. */
interface PolicyReading {
  readonly version: number;
  /** Of the policy in force, in hex; empty without one. */
  readonly digest: string;
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
    name: 'holdfast_policy_info',
    help: '1 for the policy in force, by the version that the controller gave it, or the digest of its file.',
    labelNames: ['digest'],
    registers,
    collect() {
      this.reset();
      // What comes over the wire is no label before it looks like one.
      if (/^[0-9a-f]{8,128}$/.test(policy.digest)) this.set({ digest: policy.digest }, 1);
    },
  });
  void new Gauge({
    name: 'holdfast_policy_rejected',
    help: '1 while the newest policy is not in force, because something is wrong with it; else 0.',
    registers,
    collect() {
      this.set(policy.faults.length > 0 ? 1 : 0);
    },
  });
  const applied = new Counter({
    name: 'holdfast_policy_applied_total',
    help: 'Policies that were put in force after the start.',
    registers,
  });
  const rejected = new Counter({
    name: 'holdfast_policy_rejections_total',
    help: 'Policies, or other settings, that could not be used.',
    registers,
  });
  return { applied: () => applied.inc(), rejected: () => rejected.inc() };
}

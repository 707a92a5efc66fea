import { Counter, type Registry } from 'prom-client';
import { unitsOf, type CostEvents } from './cost-ledger.ts';
import type { TargetKind } from './target-parts.ts';

const labelNames = ['kind', 'target'] as const;

/** Metrics of all cost budgets; the result gives the events of one target. In units of its policy, and never by key. */
export function costMetrics(registry: Registry): (kind: TargetKind, target: string) => CostEvents {
  const shared = { labelNames, registers: [registry] };
  const charged = new Counter({
    name: 'holdfast_cost_charged_total',
    help: 'What calls did cost, as far as it was put aside, in units of the policy.',
    ...shared,
  });
  const overshoot = new Counter({
    name: 'holdfast_cost_overshoot_total',
    help: 'What calls did cost beyond what was put aside for them.',
    ...shared,
  });
  const expired = new Counter({
    name: 'holdfast_cost_expired_total',
    help: 'What was charged in full because nobody settled it in time.',
    ...shared,
  });
  const warnings = new Counter({
    name: 'holdfast_cost_warnings_total',
    help: 'Keys that reached the share warnAt of their limit, once a window.',
    ...shared,
  });
  return (kind, target) => {
    const labels = { kind, target };
    for (const counter of [charged, overshoot, expired, warnings]) counter.inc(labels, 0);
    return {
      charged: (amount) => charged.inc(labels, unitsOf(amount)),
      overshot: (amount) => overshoot.inc(labels, unitsOf(amount)),
      expired: (amount) => expired.inc(labels, unitsOf(amount)),
      warned: () => warnings.inc(labels),
    };
  };
}

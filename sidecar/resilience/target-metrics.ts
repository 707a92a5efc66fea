import { Counter, Gauge, type Registry } from 'prom-client';
import type { Target } from './target.ts';
import type { TargetEvents, TargetKind } from './target-parts.ts';

const labelNames = ['kind', 'target'] as const;
const states = { closed: 0, 'half-open': 1, open: 2 } as const;

/** Metrics of all targets. `read` is asked at each scrape; the result gives the events of one target. */
export function targetMetrics(
  registry: Registry,
  read: () => readonly Target[],
): (kind: TargetKind, name: string) => TargetEvents {
  const registers = [registry];
  gauge(registry, read, {
    name: 'holdfast_breaker_state',
    help: 'State of the breaker: 0 closed, 1 half-open, 2 open.',
    of: ({ gate }) => (gate.breakerState === undefined ? undefined : states[gate.breakerState]),
  });
  gauge(registry, read, {
    name: 'holdfast_concurrency_in_flight',
    help: 'Calls that run, of targets with a limit.',
    of: ({ gate }) => (gate.limit === Infinity ? undefined : gate.inFlight),
  });
  gauge(registry, read, {
    name: 'holdfast_concurrency_waiting',
    help: 'Calls that wait for their turn.',
    of: ({ gate }) => (gate.limit === Infinity ? undefined : gate.waiting),
  });
  gauge(registry, read, {
    name: 'holdfast_concurrency_limit',
    help: 'Most calls at once, just now.',
    of: ({ gate }) => (gate.limit === Infinity ? undefined : gate.limit),
  });
  const refused = new Counter({
    name: 'holdfast_refusals_total',
    help: 'Tries that the policy of their target refused.',
    labelNames: [...labelNames, 'reason'],
    registers,
  });
  const retries = new Counter({
    name: 'holdfast_retries_total',
    help: 'Calls that were tried once more.',
    labelNames,
    registers,
  });
  const transitions = new Counter({
    name: 'holdfast_breaker_transitions_total',
    help: 'Changes of the breaker, by the state that it came to.',
    labelNames: [...labelNames, 'state'],
    registers,
  });
  const shadowRefused = new Counter({
    name: 'holdfast_shadow_refusals_total',
    help: 'Calls that a policy in shadow mode would have refused, or ended for its time limits.',
    labelNames: [...labelNames, 'reason'],
    registers,
  });
  const shadowRetries = new Counter({
    name: 'holdfast_shadow_retries_total',
    help: 'Calls that a policy in shadow mode would have tried once more.',
    labelNames,
    registers,
  });
  return (kind, target) => {
    const labels = { kind, target };
    const retriesOf = retries.labels(labels);
    retriesOf.inc(0);
    return {
      onBreaker: (state) => transitions.inc({ ...labels, state }),
      onRetry: () => retriesOf.inc(),
      onRefused: (reason) => refused.inc({ ...labels, reason }),
      onShadowRefused: (reason) => shadowRefused.inc({ ...labels, reason }),
      onShadowRetry: () => shadowRetries.inc(labels),
    };
  };
}

interface TargetGauge {
  readonly name: string;
  readonly help: string;
  /** Undefined: the target has no such thing. */
  readonly of: (target: Target) => number | undefined;
}

function gauge(
  registry: Registry,
  read: () => readonly Target[],
  { name, help, of }: TargetGauge,
): void {
  void new Gauge({
    name,
    help,
    labelNames,
    registers: [registry],
    collect() {
      this.reset();
      for (const target of read()) {
        const value = of(target);
        if (value !== undefined) this.set({ kind: target.kind, target: target.name }, value);
      }
    },
  });
}

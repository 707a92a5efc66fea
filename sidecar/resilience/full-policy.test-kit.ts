import { systemClock } from '../../platform/clock.ts';
import { Deadlines } from '../../platform/deadlines.ts';
import { Target } from './target.ts';
import type { TargetSettings } from './target-parts.ts';

/** Every policy at once, none of which refuses much. */
export const fullPolicy = {
  timeout: { totalMs: 30_000, perTryMs: 5_000 },
  retry: {
    maxAttempts: 3,
    backoff: { baseMs: 1, maxMs: 2 },
    on: ['unavailable'],
    budget: { ratio: 0.1, minPerSecond: 10 },
  },
  breaker: {
    failureRate: 0.5,
    slowRate: 1,
    slowCallMs: 5_000,
    minCalls: 20,
    windowMs: 10_000,
    openMs: 1_000,
    halfOpenCalls: 3,
  },
  concurrency: { max: 20, queue: 1_000, queueTimeoutMs: 10_000, adaptive: { min: 10, max: 20 } },
  rate: { perSecond: 1_000_000, burst: 1_000_000 },
} as const satisfies TargetSettings;

/** A target in real time. */
export function realTarget(settings: TargetSettings) {
  const target = new Target({
    kind: 'Upstream',
    name: 'orders',
    clock: systemClock,
    random: Math.random,
    deadlines: new Deadlines(systemClock),
    newId: () => '',
    onBreaker: () => {},
    onRetry: () => {},
    onRefused: () => {},
    onShadowRefused: () => {},
    onShadowRetry: () => {},
  });
  target.configure(settings);
  return { target };
}

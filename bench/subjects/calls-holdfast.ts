/** A target with every policy around it. */
import { Call } from '../../platform/call.ts';
import { systemClock } from '../../platform/clock.ts';
import { Deadlines } from '../../platform/deadlines.ts';
import { Target } from '../../sidecar/resilience/target.ts';
import { nothing, timeCalls } from '../calls.ts';

const ignore = (): void => {};
const target = new Target({
  kind: 'Upstream',
  name: 'nothing',
  clock: systemClock,
  random: Math.random,
  deadlines: new Deadlines(systemClock),
  newId: () => '',
  onBreaker: ignore,
  onRetry: ignore,
  onRefused: ignore,
  onShadowRefused: ignore,
  onShadowRetry: ignore,
});
target.configure({
  timeout: { totalMs: 30_000, perTryMs: 1_000 },
  retry: {
    maxAttempts: 3,
    backoff: { baseMs: 50, maxMs: 2_000 },
    on: ['unavailable'],
    budget: { ratio: 0.1, minPerSecond: 10 },
  },
  breaker: {
    failureRate: 0.5,
    slowRate: 1,
    slowCallMs: 5_000,
    minCalls: 20,
    windowMs: 10_000,
    openMs: 5_000,
    halfOpenCalls: 3,
  },
  concurrency: { max: 100, queue: 100, queueTimeoutMs: 1_000 },
  rate: { perSecond: 1e9, burst: 1e9 },
});
const scope = { onClose: () => ignore, push: ignore };
const work = { run: nothing, repeatable: () => true };
await timeCalls(() => target.run(new Call({ scope, deadlineAtMs: Infinity }), work));

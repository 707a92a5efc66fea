/** The same with cockatiel, which has no rate, no budget of retries and no time for all tries. */
import {
  bulkhead,
  circuitBreaker,
  ExponentialBackoff,
  handleAll,
  retry,
  SamplingBreaker,
  timeout,
  TimeoutStrategy,
  wrap,
} from 'cockatiel';
import { nothing, timeCalls } from '../calls.ts';

const policy = wrap(
  retry(handleAll, {
    maxAttempts: 2,
    backoff: new ExponentialBackoff({ initialDelay: 50, maxDelay: 2_000 }),
  }),
  circuitBreaker(handleAll, {
    halfOpenAfter: 5_000,
    breaker: new SamplingBreaker({ threshold: 0.5, duration: 10_000, minimumRps: 2 }),
  }),
  bulkhead(100, 100),
  timeout(1_000, TimeoutStrategy.Cooperative),
);
await timeCalls(() => policy.execute(nothing));

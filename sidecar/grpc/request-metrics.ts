import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

export type Transport = 'unary' | 'session' | 'stream';

/** How one kind of call ended: bumps its counters. Looked up once for each kind, not for each call. */
export interface RequestMeter {
  done(status: string, seconds: number): void;
}

export interface RequestMetrics {
  meter(method: string, endpoint: string): RequestMeter;
  readonly sessions: Gauge;
}

/** Counts and times of calls by method, target and status. */
export function requestMetrics(registry: Registry): RequestMetrics {
  const requests = new Counter({
    name: 'holdfast_requests_total',
    help: 'Calls that ended, by method, target of the policy, and gRPC status.',
    labelNames: ['method', 'endpoint', 'status'],
    registers: [registry],
  });
  const seconds = new Histogram({
    name: 'holdfast_response_time_seconds',
    help: 'From the arrival of a call to its answer.',
    labelNames: ['method', 'endpoint'],
    buckets: [0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers: [registry],
  });
  const sessions = new Gauge({
    name: 'holdfast_sessions_open',
    help: 'Session streams that are open.',
    registers: [registry],
  });
  const meters = new Map<string, RequestMeter>();
  const meter = (method: string, endpoint: string): RequestMeter => {
    const key = `${method} ${endpoint}`;
    let found = meters.get(key);
    if (found === undefined) {
      const timer = seconds.labels(method, endpoint);
      const byStatus = new Map<string, { inc(): void }>();
      found = {
        done: (status, took) => {
          let counter = byStatus.get(status);
          if (counter === undefined) {
            counter = requests.labels(method, endpoint, status);
            byStatus.set(status, counter);
          }
          counter.inc();
          timer.observe(took);
        },
      };
      meters.set(key, found);
    }
    return found;
  };
  return { meter, sessions };
}

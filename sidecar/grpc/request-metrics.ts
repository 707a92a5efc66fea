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

/** Calls of one kind that ended since the last scrape: to bump a counter of the registry takes as long as the rest of this for each. */
interface Counted {
  readonly counter: { inc(value: number): void };
  calls: number;
}

/** Counts and times of calls by method, target and status. */
export function requestMetrics(registry: Registry): RequestMetrics {
  const kinds: Counted[] = [];
  const requests = new Counter({
    name: 'holdfast_requests_total',
    help: 'Calls that ended, by method, target of the policy, and gRPC status.',
    labelNames: ['method', 'endpoint', 'status'],
    registers: [registry],
    collect: () => {
      for (const kind of kinds) {
        kind.counter.inc(kind.calls);
        kind.calls = 0;
      }
    },
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
  const newMeter = (method: string, endpoint: string): RequestMeter => {
    const timer = seconds.labels(method, endpoint);
    const byStatus = new Map<string, Counted>();
    return {
      done: (status, took) => {
        let kind = byStatus.get(status);
        if (kind === undefined) {
          kind = { counter: requests.labels(method, endpoint, status), calls: 0 };
          byStatus.set(status, kind);
          kinds.push(kind);
        }
        kind.calls += 1;
        timer.observe(took);
      },
    };
  };
  const meters = new Map<string, Map<string, RequestMeter>>();
  const meter = (method: string, endpoint: string): RequestMeter => {
    let ofMethod = meters.get(method);
    if (ofMethod === undefined) meters.set(method, (ofMethod = new Map<string, RequestMeter>()));
    let found = ofMethod.get(endpoint);
    if (found === undefined) ofMethod.set(endpoint, (found = newMeter(method, endpoint)));
    return found;
  };
  return { meter, sessions };
}

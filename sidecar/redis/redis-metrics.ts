import { Counter, Gauge, type Registry } from 'prom-client';
import type { LinkEvents } from './link.ts';

/** What a Redis tells when it is asked. */
export interface RedisReading {
  readonly name: string;
  readonly readyConnections: number;
  readonly inFlight: number;
  readonly wantedConnections: number;
  readonly blocked: number;
  readonly subscribers: number;
}

/** Metrics of all Redis servers. `read` is asked at each scrape; the result gives the events of one. */
export function redisMetrics(
  registry: Registry,
  read: () => readonly RedisReading[],
): (pool: string) => LinkEvents {
  const shared = { labelNames: ['pool'] as const, registers: [registry] };
  const gauge = (name: string, help: string, valueOf: (reading: RedisReading) => number): void => {
    void new Gauge({
      name,
      help,
      ...shared,
      collect() {
        for (const reading of read()) this.set({ pool: reading.name }, valueOf(reading));
      },
    });
  };
  gauge(
    'holdfast_redis_connections_ready',
    'Connections that take commands.',
    (reading) => reading.readyConnections,
  );
  gauge(
    'holdfast_redis_connections',
    'Connections that the policy asks for.',
    (reading) => reading.wantedConnections,
  );
  gauge(
    'holdfast_redis_commands_in_flight',
    'Commands without an answer.',
    (reading) => reading.inFlight,
  );
  gauge(
    'holdfast_redis_commands_blocked',
    'Commands that have a connection of their own, to block on it.',
    (reading) => reading.blocked,
  );
  gauge(
    'holdfast_redis_subscribers',
    'Subscribe calls that are open.',
    (reading) => reading.subscribers,
  );
  const connected = new Counter({
    name: 'holdfast_redis_connected_total',
    help: 'Connections made.',
    ...shared,
  });
  const disconnected = new Counter({
    name: 'holdfast_redis_disconnected_total',
    help: 'Connections that broke or could not be made.',
    ...shared,
  });
  const timedOut = new Counter({
    name: 'holdfast_redis_command_timeouts_total',
    help: 'Commands without an answer in time.',
    ...shared,
  });
  const gaps = new Counter({
    name: 'holdfast_redis_subscription_gaps_total',
    help: 'Gaps that subscribers were told of.',
    labelNames: ['pool', 'reason'],
    registers: [registry],
  });
  return (pool) => ({
    connected: () => connected.inc({ pool }),
    disconnected: () => disconnected.inc({ pool }),
    timedOut: () => timedOut.inc({ pool }),
    gap: (reason) => gaps.inc({ pool, reason }),
  });
}

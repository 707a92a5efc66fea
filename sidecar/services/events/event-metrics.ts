import { Counter, Gauge, type Registry } from 'prom-client';

/** What is told of events. */
export interface EventMetrics {
  /** A stream has begun; the result is its end. */
  joined(pool: string): () => void;
  sent(pool: string): void;
  deleted(pool: string, count: number): void;
}

/** Metrics of events. */
export function eventMetrics(registry: Registry): EventMetrics {
  const labelNames = ['pool'] as const;
  const registers = [registry];
  const streams = new Gauge({
    name: 'holdfast_event_streams_open',
    help: 'Streams of subscribers.',
    labelNames,
    registers,
  });
  const sent = new Counter({
    name: 'holdfast_events_sent_total',
    help: 'Events that were sent to subscribers, repeats included.',
    labelNames,
    registers,
  });
  const deleted = new Counter({
    name: 'holdfast_events_deleted_total',
    help: 'Events that were old enough, and that no subscriber needed any more.',
    labelNames,
    registers,
  });
  return {
    joined: (pool) => {
      streams.inc({ pool });
      return () => streams.dec({ pool });
    },
    sent: (pool) => sent.inc({ pool }),
    deleted: (pool, count) => deleted.inc({ pool }, count),
  };
}

import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { DatabaseEvents } from './database.ts';

/** What a pool tells when it is asked: connections by use, callers that wait. */
export interface PoolReading {
  readonly name: string;
  readonly counts: Readonly<
    Record<'idle' | 'shared' | 'lent' | 'preparing' | 'closing' | 'connecting' | 'waiting', number>
  >;
  readonly limit: number;
}

const waitBuckets = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30];
const statementBuckets = [0.000_5, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 30];

/** Metrics of all PostgreSQL pools. `read` is asked at each scrape; the result gives the events of one pool. */
export function poolMetrics(
  registry: Registry,
  read: () => readonly PoolReading[],
): (pool: string) => Omit<DatabaseEvents, 'slow'> & { slow(): void } {
  const registers = [registry];
  const labelNames = ['pool_type', 'pool'] as const;
  const labels = (pool: string): { pool_type: string; pool: string } => ({
    pool_type: 'postgres',
    pool,
  });
  const active = new Gauge({
    name: 'holdfast_pool_connections_active',
    help: 'Connections that run something for a caller, or belong to one.',
    labelNames,
    registers,
    collect() {
      for (const { name, counts } of read()) this.set(labels(name), counts.shared + counts.lent);
    },
  });
  const open = new Gauge({
    name: 'holdfast_pool_connections',
    help: 'Connections by state, those being opened and closed included.',
    labelNames: [...labelNames, 'state'],
    registers,
    collect() {
      for (const { name, counts } of read()) {
        for (const [state, count] of Object.entries(counts)) {
          if (state !== 'waiting') this.set({ ...labels(name), state }, count);
        }
      }
    },
  });
  const limit = new Gauge({
    name: 'holdfast_pool_connections_limit',
    help: 'Most connections the pool opens: max and overflow of the policy.',
    labelNames,
    registers,
    collect() {
      for (const each of read()) this.set(labels(each.name), each.limit);
    },
  });
  const waiting = new Gauge({
    name: 'holdfast_pool_waiting',
    help: 'Callers that wait for a connection.',
    labelNames,
    registers,
    collect() {
      for (const { name, counts } of read()) this.set(labels(name), counts.waiting);
    },
  });
  void [active, open, limit, waiting];
  const wait = new Histogram({
    name: 'holdfast_pool_wait_seconds',
    help: 'Waits for a connection, by those who had to wait.',
    labelNames,
    buckets: waitBuckets,
    registers,
  });
  const refused = new Counter({
    name: 'holdfast_pool_refused_total',
    help: 'Callers who got no connection in time, or found the queue full.',
    labelNames,
    registers,
  });
  const opened = new Counter({
    name: 'holdfast_pool_opened_total',
    help: 'Connections opened.',
    labelNames,
    registers,
  });
  const closed = new Counter({
    name: 'holdfast_pool_closed_total',
    help: 'Connections that are gone.',
    labelNames,
    registers,
  });
  const statements = new Histogram({
    name: 'holdfast_statement_seconds',
    help: 'Time of statements on the server, the way there and back included.',
    labelNames,
    buckets: statementBuckets,
    registers,
  });
  const slow = new Counter({
    name: 'holdfast_slow_statements_total',
    help: 'Statements that took longer than slowStatementMs of their pool.',
    labelNames,
    registers,
  });
  return (pool) => {
    const of = labels(pool);
    const [waitOf, refusedOf, openedOf, closedOf, statementsOf, slowOf] = [
      wait.labels(of),
      refused.labels(of),
      opened.labels(of),
      closed.labels(of),
      statements.labels(of),
      slow.labels(of),
    ];
    // Series exist from the start, so that a rate over the first event is seen.
    for (const counter of [refusedOf, openedOf, closedOf, slowOf]) counter.inc(0);
    return {
      waited: (ms) => waitOf.observe(ms / 1_000),
      refused: () => refusedOf.inc(),
      opened: () => openedOf.inc(),
      closed: () => closedOf.inc(),
      statement: (ms) => statementsOf.observe(ms / 1_000),
      slow: () => slowOf.inc(),
    };
  };
}

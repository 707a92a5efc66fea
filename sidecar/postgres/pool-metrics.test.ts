import { Registry } from 'prom-client';
import { expect, test } from 'vitest';
import { poolMetrics, type PoolReading } from './pool-metrics.ts';

const counts = { idle: 1, shared: 2, lent: 3, preparing: 4, closing: 5, connecting: 6, waiting: 7 };

test('what pools tell at a scrape is in the metrics, by pool and state', async () => {
  const registry = new Registry();
  let readings: readonly PoolReading[] = [];
  poolMetrics(registry, () => readings);
  readings = [
    { name: 'orders', counts, limit: 25 },
    { name: 'other', counts: { ...counts, lent: 0, waiting: 0 }, limit: 1 },
  ];
  const text = await registry.metrics();
  const of = 'pool_type="postgres",pool="orders"';
  for (const line of [
    `holdfast_pool_connections_active{${of}} 5`,
    `holdfast_pool_connections{${of},state="idle"} 1`,
    `holdfast_pool_connections{${of},state="lent"} 3`,
    `holdfast_pool_connections{${of},state="closing"} 5`,
    `holdfast_pool_connections{${of},state="connecting"} 6`,
    `holdfast_pool_connections_limit{${of}} 25`,
    `holdfast_pool_waiting{${of}} 7`,
    'holdfast_pool_connections_active{pool_type="postgres",pool="other"} 2',
    'holdfast_pool_waiting{pool_type="postgres",pool="other"} 0',
  ]) {
    expect(text).toContain(`${line}\n`);
  }
  expect(text).not.toContain('state="waiting"');
});

test('what happens in a pool is counted and timed in seconds, apart from other pools', async () => {
  const registry = new Registry();
  const eventsOf = poolMetrics(registry, () => []);
  const events = eventsOf('orders');
  eventsOf('other').opened();
  events.waited(40);
  events.refused();
  events.opened();
  events.opened();
  events.closed();
  events.statement(3);
  events.statement(700);
  events.slow();
  const text = await registry.metrics();
  const of = 'pool_type="postgres",pool="orders"';
  for (const line of [
    `holdfast_pool_wait_seconds_sum{${of}} 0.04`,
    `holdfast_pool_wait_seconds_bucket{le="0.05",${of}} 1`,
    `holdfast_pool_wait_seconds_bucket{le="0.01",${of}} 0`,
    `holdfast_pool_refused_total{${of}} 1`,
    `holdfast_pool_opened_total{${of}} 2`,
    `holdfast_pool_closed_total{${of}} 1`,
    `holdfast_statement_seconds_count{${of}} 2`,
    `holdfast_statement_seconds_sum{${of}} 0.703`,
    `holdfast_slow_statements_total{${of}} 1`,
    'holdfast_pool_opened_total{pool_type="postgres",pool="other"} 1',
  ]) {
    expect(text).toContain(`${line}\n`);
  }
});

import { Registry } from 'prom-client';
import { expect, test } from 'vitest';
import { requestMetrics } from './request-metrics.ts';

test('calls are counted by method, target and status, and timed by method and target', async () => {
  const registry = new Registry();
  const metrics = requestMetrics(registry);
  metrics.meter('Database.Query', 'orders').done('OK', 0.002);
  metrics.meter('Database.Query', 'orders').done('OK', 0.004);
  metrics.meter('Database.Query', 'orders').done('UNAVAILABLE', 20);
  metrics.meter('Database.Query', 'other').done('OK', 0.001);
  metrics.sessions.inc();
  const text = await registry.metrics();
  for (const line of [
    'holdfast_requests_total{method="Database.Query",endpoint="orders",status="OK"} 2',
    'holdfast_requests_total{method="Database.Query",endpoint="orders",status="UNAVAILABLE"} 1',
    'holdfast_requests_total{method="Database.Query",endpoint="other",status="OK"} 1',
    'holdfast_response_time_seconds_bucket{le="0.0025",method="Database.Query",endpoint="orders"} 1',
    'holdfast_response_time_seconds_bucket{le="10",method="Database.Query",endpoint="orders"} 2',
    'holdfast_response_time_seconds_count{method="Database.Query",endpoint="orders"} 3',
    'holdfast_sessions_open 1',
  ]) {
    expect(text).toContain(`${line}\n`);
  }
});

test('a scrape counts no call twice, and none is forgotten between two', async () => {
  const registry = new Registry();
  const meter = requestMetrics(registry).meter('Database.Query', 'orders');
  const line = (calls: number): string =>
    `holdfast_requests_total{method="Database.Query",endpoint="orders",status="OK"} ${calls}\n`;
  meter.done('OK', 0.002);
  expect(await registry.metrics()).toContain(line(1));
  expect(await registry.metrics()).toContain(line(1));
  meter.done('OK', 0.002);
  meter.done('OK', 0.002);
  expect(await registry.metrics()).toContain(line(3));
});

test('the meter of one kind of call is looked up, not made anew', () => {
  const metrics = requestMetrics(new Registry());
  expect(metrics.meter('Redis.Command', 'cache')).toBe(metrics.meter('Redis.Command', 'cache'));
  expect(metrics.meter('Redis.Command', 'cache')).not.toBe(metrics.meter('Redis.Command', ''));
});

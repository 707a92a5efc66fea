import { Registry } from 'prom-client';
import { expect, test } from 'vitest';
import { redisMetrics, type RedisReading } from './redis-metrics.ts';

test('readings are taken at each scrape, and events are counted by pool', async () => {
  const registry = new Registry();
  const reading = {
    name: 'cache',
    readyConnections: 1,
    inFlight: 7,
    wantedConnections: 2,
    blocked: 3,
    subscribers: 4,
  };
  const readings: RedisReading[] = [reading];
  const eventsOf = redisMetrics(registry, () => readings);
  const events = eventsOf('cache');
  events.connected();
  events.disconnected('ECONNREFUSED');
  events.disconnected('ECONNRESET');
  events.timedOut();
  events.gap('overflow');
  readings[0] = { ...reading, inFlight: 8 };
  const lines = (await registry.metrics())
    .split('\n')
    .filter((line) => line.startsWith('holdfast'));
  expect(lines.toSorted()).toEqual([
    'holdfast_redis_command_timeouts_total{pool="cache"} 1',
    'holdfast_redis_commands_blocked{pool="cache"} 3',
    'holdfast_redis_commands_in_flight{pool="cache"} 8',
    'holdfast_redis_connected_total{pool="cache"} 1',
    'holdfast_redis_connections_ready{pool="cache"} 1',
    'holdfast_redis_connections{pool="cache"} 2',
    'holdfast_redis_disconnected_total{pool="cache"} 2',
    'holdfast_redis_subscribers{pool="cache"} 4',
    'holdfast_redis_subscription_gaps_total{pool="cache",reason="overflow"} 1',
  ]);
});

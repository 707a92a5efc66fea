import type { Registry } from 'prom-client';
import type { Clock } from '../platform/clock.ts';
import type { DataPlane } from './data-plane.ts';
import { outboxChannel } from './postgres/outbox-bell.ts';
import { eventMetrics } from './services/events/event-metrics.ts';
import { eventOperations } from './services/events/operations.ts';
import { Retention } from './services/events/retention.ts';

interface EventServiceParts {
  readonly clock: Clock;
  readonly random: () => number;
  readonly registry: Registry;
}

/** At least so long events are kept. */
const retentionMs = 24 * 3_600_000;

/** Service Events on the pools of the sidecar, and what looks after their events. */
export function openEventService(
  { databases, listening }: DataPlane,
  { clock, random, registry }: EventServiceParts,
): ReturnType<typeof eventOperations> & { readonly close: () => void } {
  const events = eventMetrics(registry);
  const retention = new Retention({
    clock,
    random,
    databases: () => databases.all.filter(({ bell }) => bell.isUsed),
    retentionMs,
    onDeleted: (pool, count) => events.deleted(pool, count),
  });
  const operations = eventOperations({
    clock,
    events,
    databases: {
      label: (pool) => databases.label(pool),
      named: (pool) => {
        const database = databases.named(pool);
        database.bell.use();
        return database;
      },
    },
    wakes: (pool) => ({
      listen: (onWake) =>
        listening.of(pool).listen(outboxChannel, { listening: onWake, notified: onWake }),
    }),
  });
  return { ...operations, close: () => retention.close() };
}

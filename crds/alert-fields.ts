import { z } from 'zod';
import { count, durationMs, share } from './fields.ts';

/** From when on somebody is told. */
export const alerts = z
  .object({
    enabled: z.boolean().default(true).describe('False: no alert rules are made of this policy.'),
    forMs: durationMs(
      60_000,
      'How long something must last before somebody is told, unless its own field says so.',
      { min: 0 },
    ),
    poolUse: share(
      0.9,
      'Share of the connections of a pool in use from which on it is nearly exhausted.',
      {
        min: 0.01,
      },
    ),
    queueWaitMs: durationMs(1_000, 'Calls wait longer for a connection or for their turn (99 %).'),
    successRate: share(0.999, 'Share of calls that end well; below it is an alert.'),
    p99Ms: durationMs(2_000, 'One call in a hundred takes longer.'),
    throughput: z
      .object({
        minPerSecond: count(
          100,
          { min: 1, max: 1_000_000 },
          'Fewer calls a second, of all pods together, are an alert.',
        ),
        forMs: durationMs(300_000, 'For so long.', { min: 0 }),
      })
      .meta({ description: 'A floor of calls. Without it few calls are no alert.' })
      .optional(),
    slowSpansPerMinute: count(60, { min: 1, max: 1_000_000 }, 'More slow spans a minute.'),
    notProgrammedMs: durationMs(300_000, 'A pod has not taken the policy over for so long.'),
    disconnectedMs: durationMs(300_000, 'A sidecar has no controller for so long.'),
    eventLoopLagMs: durationMs(100, 'The sidecar itself is late by more (99 %).'),
    memoryUse: share(0.9, "Share of the sidecar's memory in use.", { min: 0.01 }),
  })
  .meta({
    description:
      'Not used yet: from when on somebody is told. Without it every threshold is at its default.',
  });

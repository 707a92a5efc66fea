import { z } from 'zod';
import { type CrossFieldRule, type TransitionRule, withRules } from './cross-field-rules.ts';
import { dnsLabel, durationMs } from './fields.ts';

const hour = 3_600_000;

const lockFields = z.object({
  authority: z
    .enum(['Redis', 'Postgres'])
    .describe(
      'What grants locks. It never changes because of a fault, nor by an edit: two authorities could grant one lock to two holders.',
    ),
  server: dnsLabel('Name of the Redis or of the PostgreSQL pool that grants them.').default(
    'default',
  ),
  ttlMs: durationMs(
    30_000,
    'A lock that nobody renews is free after so long; the sidecar renews at a third of it. Also the most that a request may ask for, and so long a Redis that was started grants nothing.',
    { min: 100, max: hour },
  ),
  maxHoldMs: durationMs(
    600_000,
    'Longest time that a lock is held, renewed or not: an application that hangs does not keep it for ever. Also the most that a request may ask for.',
    { min: 100 },
  ),
  fenceWaitMs: durationMs(
    500,
    'A new holder waits so long for transactions of the last one; then their sessions are terminated.',
    { min: 10, max: 600_000 },
  ),
});
type LockFields = z.output<typeof lockFields>;

export const lockRules: readonly CrossFieldRule<LockFields>[] = [
  {
    field: 'maxHoldMs',
    holds: ({ ttlMs, maxHoldMs }) => maxHoldMs >= ttlMs,
    fault: ({ ttlMs }) => `must be at least ttlMs (${ttlMs})`,
    cel: { rule: 'self.maxHoldMs >= self.ttlMs', message: 'maxHoldMs must be at least ttlMs' },
  },
];

/** Where locks are granted, and for how long. */
export const locks = withRules(
  lockFields,
  'Where locks are granted, and for how long they are held. Without it there are none.',
  lockRules,
);

/** What a policy that is there may not turn into. */
export const lockTransitions: readonly TransitionRule<{
  readonly locks?: LockFields | undefined;
}>[] = [
  {
    field: 'locks',
    holds: (before, after) =>
      before.locks === undefined ||
      (after.locks !== undefined &&
        after.locks.authority === before.locks.authority &&
        after.locks.server === before.locks.server),
    cel: {
      rule: '!has(oldSelf.locks) || (has(self.locks) && self.locks.authority == oldSelf.locks.authority && self.locks.server == oldSelf.locks.server)',
      message:
        'locks must keep its authority and server: locks that are held would be granted again elsewhere; make another policy instead',
    },
  },
];

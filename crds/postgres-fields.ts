import { z } from 'zod';
import { type CrossFieldRule, withRules } from './cross-field-rules.ts';
import { count, dnsLabel, durationMs, objectName, secretRef, tls } from './fields.ts';

const mebibyte = 1024 * 1024;

const poolFields = z.object({
  min: count(2, { min: 0, max: 1000 }, 'Connections that are kept open, used or not.'),
  max: count(10, { min: 1, max: 1000 }, 'Most connections that are kept open when they were used.'),
  overflow: count(
    0,
    { min: 0, max: 1000 },
    'Connections beyond `max` that a rush may open; each is closed a second after nobody needs it.',
  ),
  acquireTimeoutMs: durationMs(
    5_000,
    'Longest wait for a connection; then the call fails with POOL_EXHAUSTED.',
  ),
  queueLimit: count(
    10_000,
    { min: 0, max: 1_000_000 },
    'Most calls that may wait for a connection; the next one fails with POOL_EXHAUSTED at once.',
  ),
  connectTimeoutMs: durationMs(
    5_000,
    'Longest time to open one connection, from the first packet to the end of authentication.',
    { max: 600_000 },
  ),
  idleTimeoutMs: durationMs(
    300_000,
    'A connection beyond `min` that was not used for so long is closed.',
  ),
  maxLifetimeMs: durationMs(
    1_800_000,
    'A connection of this age is replaced when it is free, so that load balancers and failovers are followed.',
    { min: 1_000 },
  ),
  lifetimeJitter: z
    .number()
    .min(0)
    .max(0.5)
    .default(0.1)
    .describe(
      'By how much of `maxLifetimeMs` the life of a connection is longer or shorter, at random, so that they do not all end together. 0.1 is 10 %.',
    ),
  probeAfterMs: durationMs(
    30_000,
    'A connection that was idle for longer is asked whether it is alive before it is used; 0 asks every time.',
    { min: 0 },
  ),
});

export const poolRules: readonly CrossFieldRule<z.output<typeof poolFields>>[] = [
  {
    field: 'min',
    holds: ({ min, max }) => min <= max,
    fault: ({ max }) => `must be at most max (${max})`,
    cel: {
      rule: 'self.min <= self.max',
      message: 'min must be at most max',
    },
  },
];

/** One pool of PostgreSQL connections. */
export const postgresPool = z.object({
  name: dnsLabel(
    'What callers write in the field `pool`; the pool called `default` serves those who write nothing.',
  ),
  secretRef: secretRef(
    'url',
    'The connection URL: `postgresql://user:password@host:5432/database`.',
  ),
  budgetRef: z
    .object({ name: objectName("a ConnectionBudget's", 'Name of a ConnectionBudget.') })
    .meta({
      description:
        'The ConnectionBudget that all pods which use this database share: it must allow the namespace of the policy.',
    })
    .optional(),
  pool: withRules(poolFields, 'How many connections, and how long they live.', poolRules).prefault(
    {},
  ),
  preparedStatements: z
    .boolean()
    .default(true)
    .describe(
      'Whether statements are prepared once for each connection. False behind a pooler in transaction mode that does not carry prepared statements over, such as PgBouncer before 1.21.',
    ),
  statementTimeoutMs: durationMs(
    30_000,
    'A statement that runs for longer is cancelled on the server: STATEMENT_TIMEOUT.',
  ),
  idleInTransactionTimeoutMs: durationMs(
    30_000,
    'A transaction that waits for its next statement for longer is rolled back.',
  ),
  transactionTimeoutMs: durationMs(60_000, 'A transaction that is older is rolled back.'),
  slowStatementMs: durationMs(
    500,
    'A statement that took longer is counted, and logged without its literals and parameters; 0 takes every one for slow.',
    { min: 0 },
  ),
  maxResultBytes: count(
    16 * mebibyte,
    { min: 1024, max: 64 * mebibyte },
    'Most bytes of one result, as PostgreSQL sends it; a larger one fails with RESULT_TOO_LARGE. Streams have no such limit.',
  ),
  tls: tls.optional(),
});

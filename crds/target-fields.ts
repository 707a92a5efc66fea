import { z } from 'zod';
import { type CrossFieldRule, listBy, withRules } from './cross-field-rules.ts';
import { count, dnsLabel, durationMs, share } from './fields.ts';
import { cost } from './cost-fields.ts';
import { retry } from './retry-fields.ts';
import { fallback, upstream } from './upstream-fields.ts';

const timeoutFields = z.object({
  totalMs: durationMs(
    30_000,
    'Longest time of a call with all its tries, waits and pauses; then it fails with TARGET_TIMEOUT.',
  ),
  perTryMs: durationMs(
    0,
    'Longest time of one try, the wait for its turn not counted; 0 is no limit but `totalMs`.',
    { min: 0 },
  ),
});

export const timeoutRules: readonly CrossFieldRule<z.output<typeof timeoutFields>>[] = [
  {
    field: 'perTryMs',
    holds: ({ totalMs, perTryMs }) => perTryMs <= totalMs,
    fault: ({ totalMs }) => `must be at most totalMs (${totalMs})`,
    cel: {
      rule: 'self.perTryMs <= self.totalMs',
      message: 'perTryMs must be at most totalMs',
    },
  },
];

const breaker = z.object({
  failureRate: share(0.5, 'Share of failed calls in the window at which it opens.', { min: 0.01 }),
  slowRate: share(1, 'Share of slow calls in the window at which it opens; 1 is never.', {
    min: 0.01,
  }),
  slowCallMs: durationMs(5_000, 'A call that took longer is slow.'),
  minCalls: count(20, { min: 1, max: 100_000 }, 'With fewer calls in the window it stays closed.'),
  windowMs: durationMs(10_000, 'Calls of the last so many ms are looked at.', {
    min: 100,
    max: 3_600_000,
  }),
  openMs: durationMs(
    5_000,
    'How long it refuses every call with BREAKER_OPEN before it lets probes through.',
    {
      min: 10,
      max: 3_600_000,
    },
  ),
  halfOpenCalls: count(
    3,
    { min: 1, max: 1_000 },
    'Probes that are let through then, at most so many at once; it closes when so many have succeeded, and opens again when one fails.',
  ),
});

const adaptive = z
  .object({
    min: count(1, { min: 1, max: 100_000 }, 'The limit never falls below.'),
  })
  .meta({
    description:
      'The limit finds its own size, up to `max`, from how long calls take: it grows while they take as long as at rest, and shrinks when they queue behind it, fail or are throttled.',
  });

const concurrencyFields = z.object({
  max: count(100, { min: 1, max: 100_000 }, 'Most calls at once.'),
  queue: count(
    100,
    { min: 0, max: 1_000_000 },
    'Most calls that wait for their turn; the next one fails with CONCURRENCY_LIMIT at once, or takes the place of a less urgent one.',
  ),
  queueTimeoutMs: durationMs(
    1_000,
    'Longest wait for a turn; then the call fails with CONCURRENCY_LIMIT.',
  ),
  order: z
    .enum(['Priority', 'Fifo'])
    .default('Priority')
    .describe(
      'Who is next. Priority: the most urgent, then the first. Fifo: the first, whoever it is.',
    ),
  adaptive: adaptive.optional(),
});

export const concurrencyRules: readonly CrossFieldRule<z.output<typeof concurrencyFields>>[] = [
  {
    field: 'adaptive.min',
    holds: ({ max, adaptive }) => adaptive === undefined || adaptive.min <= max,
    fault: ({ max }) => `must be at most concurrency.max (${max})`,
    cel: {
      rule: '!has(self.adaptive) || self.adaptive.min <= self.max',
      message: 'adaptive.min must be at most concurrency.max',
    },
  },
];

const rate = z.object({
  perSecond: z
    .number()
    .min(0.001)
    .max(1_000_000)
    .describe('Calls a second in the long run, of each pod.'),
  burst: count(
    0,
    { min: 0, max: 1_000_000 },
    'Calls that may come at once after a quiet time; 0 is as many as `perSecond`, at least 1.',
  ),
});

const priorityShare = z.object({
  priority: z.enum(['Normal', 'Low']).describe('Of which calls.'),
  share: share(1, 'How much of the concurrency limit they may fill, at least one call.', {
    min: 0.01,
  }),
});

const targetFields = z.object({
  kind: z
    .enum(['Postgres', 'Redis', 'Upstream', 'Guard'])
    .describe(
      'What it is. Postgres: the pool of this name. Redis: the Redis of this name. Upstream: an HTTP server that is called through the sidecar. Guard: whatever the application calls itself between Enter and Exit.',
    ),
  name: dnsLabel('Name of the pool or Redis; of others, what callers write in the field `target`.'),
  upstream: upstream.optional(),
  timeout: withRules(
    timeoutFields,
    'How long calls may take. Without it: as long as their own deadline allows.',
    timeoutRules,
  ).optional(),
  retry: retry
    .meta({
      description:
        'Which failures are tried again; only for work that may run twice. Without it databases repeat what is safe at most twice, within a budget of a tenth of all calls, and nothing else is repeated.',
    })
    .optional(),
  breaker: breaker
    .meta({
      description: 'When calls are refused for a while, because too many failed or were slow.',
    })
    .optional(),
  concurrency: withRules(
    concurrencyFields,
    'How many calls run at once (a bulkhead), and how many wait.',
    concurrencyRules,
  ).optional(),
  rate: rate
    .meta({
      description:
        'How many calls a second each pod makes (a token bucket); others fail with RATE_LIMITED.',
    })
    .optional(),
  cost: cost.optional(),
  priorities: listBy(
    ['priority'],
    priorityShare,
    2,
    'What less urgent calls may take of the concurrency limit, so that urgent ones find room. Without it: everything.',
  ),
  fallback: fallback.optional(),
});

type TargetFields = z.output<typeof targetFields>;

/** CEL has no sum of truths; these stand for `has(...)` of optional blocks, and of fields that are at their default. */
export const targetRules: readonly CrossFieldRule<TargetFields>[] = [
  {
    field: 'upstream',
    holds: ({ kind, upstream }) => (kind === 'Upstream') === (upstream !== undefined),
    fault: ({ kind }) =>
      kind === 'Upstream'
        ? 'is required for kind Upstream'
        : `needs kind Upstream (kind is ${kind})`,
    cel: {
      rule: "(self.kind == 'Upstream') == has(self.upstream)",
      message: 'upstream is required for kind Upstream, and for no other',
    },
  },
  {
    field: 'fallback',
    holds: ({ kind, fallback }) => fallback === undefined || kind === 'Upstream',
    fault: ({ kind }) =>
      `needs kind Upstream (kind is ${kind}): only an HTTP answer can stand in for another`,
    cel: {
      rule: "!has(self.fallback) || self.kind == 'Upstream'",
      message: 'fallback needs kind Upstream: only an HTTP answer can stand in for another',
    },
  },
  {
    field: 'retry',
    holds: ({ kind, retry }) => retry === undefined || kind !== 'Guard',
    fault: () =>
      'needs another kind than Guard: what the application calls itself only it can repeat',
    cel: {
      rule: "!has(self.retry) || self.kind != 'Guard'",
      message:
        'retry needs another kind than Guard: what the application calls itself only it can repeat',
    },
  },
  {
    field: 'cost',
    holds: ({ kind, cost }) => cost === undefined || kind === 'Upstream' || kind === 'Guard',
    fault: ({ kind }) => `needs kind Upstream or Guard (kind is ${kind})`,
    cel: {
      rule: "!has(self.cost) || self.kind == 'Upstream' || self.kind == 'Guard'",
      message: 'cost needs kind Upstream or Guard',
    },
  },
  {
    field: 'priorities',
    holds: ({ priorities, concurrency }) => priorities.length === 0 || concurrency !== undefined,
    fault: () => 'needs concurrency: they are shares of its limit',
    cel: {
      rule: '!has(self.priorities) || self.priorities.size() == 0 || has(self.concurrency)',
      message: 'priorities needs concurrency: they are shares of its limit',
    },
  },
];

/** One target: what calls go to, and what protects it. */
export const target = withRules(
  targetFields,
  'What calls go to, and what protects it. What is absent lets every call through.',
  targetRules,
);

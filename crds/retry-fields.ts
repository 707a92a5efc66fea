import { z } from 'zod';
import { type CrossFieldRule, withRules } from './cross-field-rules.ts';
import { count, durationMs, share } from './fields.ts';

const backoffFields = z.object({
  baseMs: durationMs(
    50,
    'Longest pause before the first retry; it doubles with each one. The pause is random between 0 and that (full jitter), and never shorter than what the answer asked for.',
    { max: 600_000 },
  ),
  maxMs: durationMs(2_000, 'Longest pause before any retry.', { max: 600_000 }),
});

export const backoffRules: readonly CrossFieldRule<z.output<typeof backoffFields>>[] = [
  {
    field: 'baseMs',
    holds: ({ baseMs, maxMs }) => baseMs <= maxMs,
    fault: ({ maxMs }) => `must be at most maxMs (${maxMs})`,
    cel: {
      rule: 'self.baseMs <= self.maxMs',
      message: 'baseMs must be at most maxMs',
    },
  },
];

/** What a retry is for. */
export const retryCauses = [
  'Unavailable',
  'ServerError',
  'Timeout',
  'Throttled',
  'Conflict',
] as const;

/** Which failures are tried again, how often and when. */
export const retry = z.object({
  maxAttempts: count(
    3,
    { min: 1, max: 10 },
    'Tries of one call, the first included; 1 is none again.',
  ),
  backoff: withRules(backoffFields, 'The pause before a retry.', backoffRules).prefault({}),
  causes: z
    .array(z.enum(retryCauses))
    .min(1)
    .max(retryCauses.length)
    .default([...retryCauses])
    .describe(
      'Failures that are tried again, and only for work that may run twice. Unavailable: it cannot be reached, the connection broke, HTTP 502, 503, 504. ServerError: HTTP 500 and the other 5xx. Timeout: `perTryMs` passed. Throttled: it wants less, HTTP 429. Conflict: a transaction lost against another one.',
    ),
  budget: z
    .object({
      ratio: share(
        0.1,
        'Retries for each call, so that a target in trouble is not given a multiple of its load.',
      ),
      minPerSecond: count(
        10,
        { min: 0, max: 100_000 },
        'So many retries a second are allowed however few calls there are.',
      ),
    })
    .meta({ description: 'How many retries all calls of the pod may make together.' })
    .prefault({}),
});

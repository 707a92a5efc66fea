import { z } from 'zod';
import { count, dnsLabel, durationMs, secretRef, tls } from './fields.ts';

const mebibyte = 1024 * 1024;

/** One Redis, on connections that all callers share. */
export const redisPool = z.object({
  name: dnsLabel(
    'What callers write in the field `pool`; the one called `default` serves those who write nothing.',
  ),
  secretRef: secretRef('url', 'The connection URL: `redis://user:password@host:6379/0`.'),
  connections: count(
    2,
    { min: 1, max: 16 },
    'Connections that all callers share. Two keep a large answer from holding up everybody.',
  ),
  blockingConnections: count(
    16,
    { min: 1, max: 1_000 },
    'Most connections for commands that block, such as BLPOP, one for each; the next one fails with POOL_EXHAUSTED.',
  ),
  maxInFlight: count(
    50_000,
    { min: 1, max: 1_000_000 },
    'Most commands that may wait for their answer; the next one fails with POOL_EXHAUSTED.',
  ),
  commandTimeoutMs: durationMs(
    2_000,
    'A command that has no answer by then fails with COMMAND_TIMEOUT; it may have run.',
    { max: 600_000 },
  ),
  connectTimeoutMs: durationMs(5_000, 'Longest time to open one connection.', { max: 600_000 }),
  maxReplyBytes: count(
    16 * mebibyte,
    { min: 1024, max: 64 * mebibyte },
    'Most bytes of one answer; a larger one is read, dropped, and fails with RESULT_TOO_LARGE.',
  ),
  operationTtlMs: durationMs(
    3_600_000,
    'How long the reply of a script with an operation id is kept in Redis: a repeat that comes later runs it again.',
    { min: 1_000, max: 7 * 86_400_000 },
  ),
  subscriberBufferBytes: count(
    4 * mebibyte,
    { min: 1024, max: 256 * mebibyte },
    'Most bytes of messages that wait for one subscriber; beyond that they are dropped, and it is told of a gap.',
  ),
  tls: tls.optional(),
});

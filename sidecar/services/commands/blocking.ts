import { type Call, deadlineExceeded } from '../../../platform/call.ts';
import type { Clock } from '../../../platform/clock.ts';
import { HoldfastError } from '../../../platform/errors.ts';
import { blockingTime, withBlockingTime } from '../../redis/blocking-commands.ts';
import type { CommandRule } from '../../redis/command-rules.ts';
import type { LoneCommand, RedisBackend } from '../../redis/redis-backend.ts';
import type { Reply } from '../../redis/reply.ts';

interface BlockingCommand {
  readonly rule: CommandRule;
  readonly words: readonly Buffer[];
  readonly idempotent: boolean;
}

/** Between the server's giving up and the call's deadline: enough for the answer to arrive in time. */
const marginMs = 100;

/** WAIT counts from the last write of its own connection. A message that nobody hears is one, and it comes after all that was written before. */
const offsetMark = ['PUBLISH', 'holdfast:wait', ''].map((word) => Buffer.from(word));

/**
 * Runs a command that may block, on a connection of its own. The server is told to give up before the call's deadline: so that nothing is
 * popped for a caller who has gone.
 */
export async function runBlocking(
  to: RedisBackend,
  { rule, words, idempotent }: BlockingCommand,
  call: Call,
  clock: Clock,
): Promise<Reply> {
  const time = blockingTime(rule.name, words);
  if (time === undefined) throw new Error(`${rule.name} does not block`);
  if (time.waitMs === Infinity && call.deadlineAtMs === Infinity) {
    throw new HoldfastError(
      'invalid',
      'INVALID_REQUEST',
      `${rule.name} would wait for ever: give it a timeout, or the call a deadline`,
    );
  }
  const waits = rule.name.startsWith('WAIT');
  const untilMs = clock.now() + time.waitMs;
  let cutShort = false;
  const make = (): LoneCommand => {
    const harmless = rule.reads || idempotent;
    const nowMs = clock.now();
    const leftMs = call.deadlineAtMs - nowMs;
    const mostMs = Math.max(1, leftMs - Math.min(marginMs, leftMs / 2));
    const ownMs = untilMs - nowMs;
    // Redis refuses what is no time, better than we could.
    if (Number.isNaN(ownMs)) return { words, harmless, waitMs: 0 };
    cutShort = mostMs < ownMs;
    const waitMs = Math.min(ownMs, mostMs);
    return {
      words: withBlockingTime(words, time, waitMs),
      harmless,
      waitMs,
      ...(waits ? { before: offsetMark } : {}),
    };
  };
  const reply = await to.alone(make, call);
  if (reply === null && cutShort) throw deadlineExceeded();
  return reply;
}

import { PendingCommand } from './pending-command.ts';
import type { Caller, Lane, RedisBackend } from './redis-backend.ts';
import type { Reply } from './reply.ts';

interface Run {
  /** Running it twice, or not knowing whether it ran, does no harm. */
  readonly harmless: boolean;
  readonly lane: Lane;
}

/** Sends one command for a caller and waits for its reply. Not for the hot path: there is a promise more than needed. */
export async function runCommand(
  to: RedisBackend,
  words: readonly Buffer[],
  { harmless, lane }: Run,
  caller: Caller,
): Promise<Reply> {
  await to.opening(caller, lane);
  if (caller.ended !== undefined) throw caller.ended;
  return new Promise((resolve, reject) => {
    const command = new PendingCommand(words, harmless, { answered: resolve, failed: reject }, 0);
    to.send([command], lane);
    caller.onEnd((reason) => command.abandon(reason));
  });
}

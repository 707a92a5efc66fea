import type { PublishReply } from '../../../platform/gen/holdfast/v1/PublishReply.ts';
import type { PublishRequest__Output } from '../../../platform/gen/holdfast/v1/PublishRequest.ts';
import type { Operation } from '../../grpc/operation.ts';
import type { RedisTargets } from '../../redis/redis-targets.ts';
import { runCommand } from '../../redis/run-command.ts';

/** Redis.Publish. A message whose reply was lost is not sent again: its subscribers may have it. */
export const publishOperation = (
  redis: RedisTargets,
): Operation<PublishRequest__Output, PublishReply> => ({
  name: 'Redis.Publish',
  frame: 'publish',
  target: ({ pool }) => redis.label(pool),
  handle: async ({ channel, message, pool, sharded }, call) => {
    const words = [Buffer.from(sharded ? 'SPUBLISH' : 'PUBLISH'), channel, message];
    const run = { harmless: false, lane: 'shared' } as const;
    const receivers = await redis.target(pool).run(call, {
      run: (tried) => runCommand(redis.named(pool), words, run, tried),
      repeatable: ({ kind }) => kind === 'unavailable',
    });
    return { receivers: String(receivers) };
  },
});

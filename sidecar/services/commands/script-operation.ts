import type { Clock } from '../../../platform/clock.ts';
import type { ScriptRequest__Output } from '../../../platform/gen/holdfast/v1/ScriptRequest.ts';
import { Encoded } from '../../../platform/grpc/encoded.ts';
import type { Operation } from '../../grpc/operation.ts';
import type { RedisTargets } from '../../redis/redis-targets.ts';
import { encodeReply } from '../../redis/reply.ts';
import { runScript } from '../../redis/script.ts';
import { checkScript } from './checks.ts';

interface ScriptParts {
  readonly clock: Clock;
  /** 0 to 1, for the jitter of repeats. */
  readonly random: () => number;
}

/** Redis.Script. */
export const scriptOperation = (
  redis: RedisTargets,
  parts: ScriptParts,
): Operation<ScriptRequest__Output, Encoded> => ({
  name: 'Redis.Script',
  frame: 'script',
  target: ({ pool }) => redis.label(pool),
  handle: async ({ body, keys, args, pool, operationId, idempotent }, call) => {
    const script = { body, keys, args, operationId, idempotent };
    checkScript(script);
    const { maxReplyBytes } = redis.named(pool).options;
    const reply = await redis.target(pool).run(call, {
      // The Redis of now: a new policy may have replaced it while the call waited.
      run: (tried) => runScript(redis.named(pool), script, tried, parts),
      repeatable: ({ kind }) => idempotent || operationId !== '' || kind === 'unavailable',
    });
    return new Encoded(encodeReply(reply, maxReplyBytes));
  },
});

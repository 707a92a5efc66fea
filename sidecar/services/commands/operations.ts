import type { Call } from '../../../platform/call.ts';
import type { CommandRequest__Output } from '../../../platform/gen/holdfast/v1/CommandRequest.ts';
import type { PipelineRequest__Output } from '../../../platform/gen/holdfast/v1/PipelineRequest.ts';
import { Encoded } from '../../../platform/grpc/encoded.ts';
import type { StatusEncoder } from '../../../platform/grpc/status.ts';
import type { AnyOperation, Operation } from '../../grpc/operation.ts';
import { PendingCommand } from '../../redis/pending-command.ts';
import type { RedisPool } from '../../redis/redis-pool.ts';
import type { RedisTargets } from '../../redis/redis-targets.ts';
import { abandoned } from '../../redis/reply-errors.ts';
import { checkCommand, checkPipeline } from './checks.ts';
import { CommandWaiter, PipelineWaiter } from './waiters.ts';

/** Everything of service Redis. */
export function commandOperations(
  redis: RedisTargets,
  statuses: StatusEncoder,
): readonly AnyOperation[] {
  const command: Operation<CommandRequest__Output, Encoded> = {
    name: 'Redis.Command',
    frame: 'command',
    target: ({ pool }) => redis.label(pool),
    // One promise for the whole way, and no `async`: in a session each further one would be felt.
    handle: ({ args, pool, idempotent }, call) =>
      new Promise((resolve, reject) => {
        const harmless = checkCommand(args).reads || idempotent;
        const to = redis.named(pool);
        const waiter = new CommandWaiter(resolve, reject, to.options.maxReplyBytes);
        const pending = new PendingCommand(args, harmless, waiter, 0);
        sendWhenOpen(to, call, [pending], reject);
        call.onEnd((reason) => pending.abandon(reason));
      }),
  };

  const pipeline: Operation<PipelineRequest__Output, Encoded> = {
    name: 'Redis.Pipeline',
    frame: 'pipeline',
    target: ({ pool }) => redis.label(pool),
    handle: ({ commands, pool, idempotent }, call) =>
      new Promise((resolve, reject) => {
        const rules = checkPipeline(commands);
        const to = redis.named(pool);
        if (commands.length === 0) return resolve(new Encoded(Buffer.alloc(0)));
        const { maxReplyBytes } = to.options;
        const waiter = new PipelineWaiter(commands.length, { resolve, maxReplyBytes, statuses });
        const pending = commands.map(({ args }, index) => {
          const harmless = rules[index]?.reads === true || idempotent;
          return new PendingCommand(args, harmless, waiter, index);
        });
        sendWhenOpen(to, call, pending, reject);
        call.onEnd((reason) => {
          const sent = pending.some(({ state }) => state !== 'waiting');
          const harmless = pending.every((each) => each.harmless);
          // The call as a whole has an answer then: what is still told of its commands is dropped.
          reject(sent ? abandoned(to.name, harmless, reason) : reason);
          waiter.close();
          for (const each of pending) each.abandon(reason);
        });
      }),
  };

  return [command, pipeline];
}

/** Throws or rejects when the commands cannot be sent. */
function sendWhenOpen(
  to: RedisPool,
  call: Call,
  commands: readonly PendingCommand[],
  reject: (error: Error) => void,
): void {
  const opening = to.opening(call);
  if (opening === undefined) return to.send(commands);
  opening.then(() => to.send(commands)).catch(reject);
}

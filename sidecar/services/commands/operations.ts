import type { Call } from '../../../platform/call.ts';
import type { Clock } from '../../../platform/clock.ts';
import { HoldfastError } from '../../../platform/errors.ts';
import type { CommandRequest__Output } from '../../../platform/gen/holdfast/v1/CommandRequest.ts';
import type { PipelineRequest__Output } from '../../../platform/gen/holdfast/v1/PipelineRequest.ts';
import { Encoded } from '../../../platform/grpc/encoded.ts';
import type { StatusEncoder } from '../../../platform/grpc/status.ts';
import type { Operation, OperationTable } from '../../grpc/operation.ts';
import { mayBlock, type CommandRule } from '../../redis/command-rules.ts';
import { PendingCommand } from '../../redis/pending-command.ts';
import type { RedisBackend } from '../../redis/redis-backend.ts';
import type { Protection, RedisTargets } from '../../redis/redis-targets.ts';
import { abandoned } from '../../redis/reply-errors.ts';
import { outcomeOf } from '../../resilience/outcome.ts';
import { atomicPipelines } from './atomic-pipeline.ts';
import { runBlocking } from './blocking.ts';
import { checkCommand, checkPipeline } from './checks.ts';
import { publishOperation } from './publish-operation.ts';
import { scriptOperation } from './script-operation.ts';
import { subscribeOperation } from './subscribe-operation.ts';
import { CommandWaiter, PipelineWaiter } from './waiters.ts';

interface CommandParts {
  readonly statuses: StatusEncoder;
  readonly clock: Clock;
  /** 0 to 1, for the jitter of repeats. */
  readonly random: () => number;
}

/** Everything of service Redis. */
export function commandOperations(
  redis: RedisTargets,
  { statuses, clock, random }: CommandParts,
): Pick<OperationTable, 'unary' | 'streams'> {
  // One promise for the whole way, and no `async`: in a session each further one would be felt.
  const runCommand = (
    { args, pool, idempotent }: CommandRequest__Output,
    rule: CommandRule,
    call: Call,
  ): Promise<Encoded> =>
    new Promise((resolve, reject) => {
      const to = redis.named(pool);
      const waiter = new CommandWaiter(resolve, reject, to.options.maxReplyBytes);
      if (mayBlock(rule, args)) {
        runBlocking(to, { rule, words: args, idempotent }, call, clock).then(
          (reply) => waiter.answered(reply),
          reject,
        );
        return;
      }
      const pending = new PendingCommand(args, rule.reads || idempotent, waiter, 0);
      sendWhenOpen(to, call, [pending], reject);
      call.onEnd((reason) => pending.abandon(reason));
    });

  /** The time limits of a policy are not for it, which would pop for nobody, and how long it waits says nothing of Redis. */
  const enterAndBlock = async (
    target: Protection,
    request: CommandRequest__Output,
    rule: CommandRule,
    call: Call,
  ): Promise<Encoded> => {
    const entry = await target.enter(call);
    try {
      const answer = await runCommand(request, rule, call);
      void entry.settle('waited');
      return answer;
    } catch (thrown) {
      const error = HoldfastError.from(thrown);
      // Redis has said in time that nothing came.
      const cameNothing = error.reason === 'DEADLINE_EXCEEDED' && call.ended === undefined;
      void entry.settle(cameNothing ? 'waited' : outcomeOf(error));
      throw error;
    }
  };

  const command: Operation<CommandRequest__Output, Encoded> = {
    name: 'Redis.Command',
    frame: 'command',
    target: ({ pool }) => redis.label(pool),
    handle: (request, call) => {
      const rule = checkCommand(request.args);
      const target = redis.target(request.pool);
      if (target.passes) return runCommand(request, rule, call);
      if (mayBlock(rule, request.args)) return enterAndBlock(target, request, rule, call);
      const harmless = rule.reads || request.idempotent;
      return target.run(call, {
        run: (tried) => runCommand(request, rule, tried),
        repeatable: (error) => harmless || ranNot(error),
      });
    },
  };

  const runAtomic = atomicPipelines(statuses);
  const runPipeline = (
    { commands, pool, idempotent, atomic }: PipelineRequest__Output,
    rules: readonly CommandRule[],
    call: Call,
  ): Promise<Encoded> =>
    new Promise((resolve, reject) => {
      const to = redis.named(pool);
      if (atomic) {
        const harmless = idempotent || rules.every(({ reads }) => reads);
        const request = { commands: commands.map(({ args }) => args), harmless };
        return resolve(runAtomic(to, request, call));
      }
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
    });

  const pipeline: Operation<PipelineRequest__Output, Encoded> = {
    name: 'Redis.Pipeline',
    frame: 'pipeline',
    target: ({ pool }) => redis.label(pool),
    handle: (request, call) => {
      const rules = checkPipeline(request.commands);
      const target = redis.target(request.pool);
      if (rules.length === 0) return Promise.resolve(new Encoded(Buffer.alloc(0)));
      if (target.passes) return runPipeline(request, rules, call);
      const harmless = request.idempotent || rules.every(({ reads }) => reads);
      return target.run(call, {
        run: (tried) => runPipeline(request, rules, tried),
        repeatable: (error) => harmless || ranNot(error),
      });
    },
  };

  const script = scriptOperation(redis, { clock, random });
  return {
    unary: [command, pipeline, script, publishOperation(redis)],
    streams: [subscribeOperation(redis, clock)],
  };
}

/** Redis was not there, or is not ready for anything: the command has not run. A lost reply has another kind, unless twice does no harm. */
const ranNot = ({ kind }: HoldfastError): boolean => kind === 'unavailable';

/** Throws or rejects when the commands cannot be sent. */
function sendWhenOpen(
  to: RedisBackend,
  call: Call,
  commands: readonly PendingCommand[],
  reject: (error: Error) => void,
): void {
  const opening = to.opening(call, 'shared');
  if (opening === undefined) return to.send(commands, 'shared');
  opening.then(() => to.send(commands, 'shared')).catch(reject);
}

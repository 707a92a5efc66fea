import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { HoldfastError } from '../../../platform/errors.ts';
import { type Commands, newCall } from './operations.test-kit.ts';

/** What commands, scripts and a subscription were told while Redis was being broken. */
export interface LoadReport {
  /** Ids that were pushed with success. */
  readonly pushed: readonly string[];
  /** Ids of which nobody knows. */
  readonly unknown: readonly string[];
  /** Ids of which the error said that nothing ran. */
  readonly refused: readonly string[];
  /** Operations of scripts, each repeated with one id until it had its answer. */
  readonly operations: number;
  /** Errors that nobody should see. */
  readonly strange: readonly unknown[];
  readonly slowestMs: number;
  /** Payloads, and `gap`. */
  readonly told: readonly string[];
}

export interface Load {
  readonly listKey: string;
  readonly counterKey: string;
  /** Channel that the subscription is for. */
  readonly channel: string;
  readonly told: readonly string[];
  stop(): Promise<LoadReport>;
}

const nothingRan = new Set(['REDIS_UNAVAILABLE', 'POOL_EXHAUSTED']);
const nobodyKnows = new Set(['REPLY_LOST', 'COMMAND_TIMEOUT']);
const operation = "return redis.call('INCR', KEYS[1])";

/** Commands with ids, scripts with operation ids, atomic pipelines and a subscription, all at once, until it is stopped. */
export async function startLoad(commands: Commands): Promise<Load> {
  const name = randomUUID();
  const [listKey, counterKey, channel] = [`{${name}}list`, `{${name}}counter`, `{${name}}channel`];
  const [pushed, unknown, refused, told]: [string[], string[], string[], string[]] = [
    [],
    [],
    [],
    [],
  ];
  const strange: unknown[] = [];
  let operations = 0;
  let slowestMs = 0;
  const running = new AbortController();
  const isOver = (): boolean => running.signal.aborted;

  const push = async (send: (id: string) => Promise<unknown>): Promise<void> => {
    while (!isOver()) {
      const id = randomUUID();
      const from = performance.now();
      try {
        await send(id);
        pushed.push(id);
      } catch (thrown) {
        const { reason } = HoldfastError.from(thrown);
        if (nothingRan.has(reason)) refused.push(id);
        else if (nobodyKnows.has(reason)) unknown.push(id);
        else strange.push(thrown);
      }
      slowestMs = Math.max(slowestMs, performance.now() - from);
      await sleep(2);
    }
  };
  const count = async (): Promise<void> => {
    while (!isOver()) {
      const operationId = randomUUID();
      operations += 1;
      for (;;) {
        const from = performance.now();
        const failure: unknown = await commands
          .script(operation, { keys: [counterKey], operationId })
          .then(
            () => undefined,
            (thrown: unknown) => thrown,
          );
        slowestMs = Math.max(slowestMs, performance.now() - from);
        if (failure === undefined) break;
        const { kind, reason } = HoldfastError.from(failure);
        if (kind !== 'unavailable' && reason !== 'COMMAND_TIMEOUT') strange.push(failure);
        await sleep(20);
      }
      await sleep(2);
    }
  };
  const work = Promise.all([
    ...Array.from({ length: 4 }, () => push((id) => commands.command(['RPUSH', listKey, id]))),
    push((id) =>
      commands.pipeline(
        [
          ['RPUSH', listKey, id],
          ['LLEN', listKey],
        ],
        { atomic: true },
      ),
    ),
    push((id) =>
      commands.script("return redis.call('RPUSH', KEYS[1], ARGV[1])", {
        keys: [listKey],
        args: [id],
      }),
    ),
    ...Array.from({ length: 4 }, count),
  ]);

  const call = newCall();
  let stands = (): void => {};
  const standing = new Promise<void>((resolve) => {
    stands = resolve;
  });
  const listening = commands
    .subscribe(
      { channels: [channel] },
      ({ message, gap }) => {
        stands();
        if (message) told.push(String(message.payload));
        if (gap) told.push('gap');
      },
      call,
    )
    .catch((thrown: unknown) => thrown);
  await standing;

  return {
    listKey,
    counterKey,
    channel,
    told,
    stop: async () => {
      running.abort();
      await work;
      call.end(new HoldfastError('cancelled', 'CANCELLED', 'over'));
      await listening;
      return { pushed, unknown, refused, operations, strange, slowestMs, told };
    },
  };
}

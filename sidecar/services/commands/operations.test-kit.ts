import { cancelled, Call, deadlineExceeded } from '../../../platform/call.ts';
import { systemClock } from '../../../platform/clock.ts';
import type { CommandRequest__Output } from '../../../platform/gen/holdfast/v1/CommandRequest.ts';
import type { PipelineReply__Output } from '../../../platform/gen/holdfast/v1/PipelineReply.ts';
import type { PipelineRequest__Output } from '../../../platform/gen/holdfast/v1/PipelineRequest.ts';
import type { RedisReply__Output } from '../../../platform/gen/holdfast/v1/RedisReply.ts';
import type { PublishReply } from '../../../platform/gen/holdfast/v1/PublishReply.ts';
import type { PublishRequest__Output } from '../../../platform/gen/holdfast/v1/PublishRequest.ts';
import type { ScriptRequest__Output } from '../../../platform/gen/holdfast/v1/ScriptRequest.ts';
import type { SubscribeEvent } from '../../../platform/gen/holdfast/v1/SubscribeEvent.ts';
import type { SubscribeRequest__Output } from '../../../platform/gen/holdfast/v1/SubscribeRequest.ts';
import type { Encoded } from '../../../platform/grpc/encoded.ts';
import { loadMessages } from '../../../platform/grpc/contract.ts';
import { StatusEncoder } from '../../../platform/grpc/status.ts';
import type { Operation, StreamOperation } from '../../grpc/operation.ts';
import type { LinkEvents } from '../../redis/link.ts';
import type { RedisOptions } from '../../redis/redis-options.ts';
import { freeTargets } from '../../resilience/targets.test-kit.ts';
import { RedisTargets } from '../../redis/redis-targets.ts';
import { commandOperations } from './operations.ts';

const messages = loadMessages();
const replyType = messages.lookupType('holdfast.v1.RedisReply');
const pipelineType = messages.lookupType('holdfast.v1.PipelineReply');
const infoType = messages.lookupType('google.rpc.ErrorInfo');

export type Word = string | Buffer;

interface CallOptions {
  readonly pool?: string;
  readonly idempotent?: boolean;
  readonly call?: Call;
}

interface ScriptOptions extends CallOptions {
  readonly keys?: readonly Word[];
  readonly args?: readonly Word[];
  readonly operationId?: string;
}

/** What stands for `{ error }` of an outcome. */
export interface OutcomeError {
  readonly code: number;
  readonly message: string;
  readonly reason: string;
}

export interface Commands {
  readonly targets: RedisTargets;
  /** Words of what the connections told, in order: `connected`, `disconnected ECONNREFUSED`, `timedOut`. */
  readonly events: string[];
  command(words: readonly Word[], options?: CallOptions): Promise<unknown>;
  pipeline(
    commands: readonly (readonly Word[])[],
    options?: CallOptions & { readonly atomic?: boolean },
  ): Promise<unknown[]>;
  script(body: string, options?: ScriptOptions): Promise<unknown>;
  /** How many received it. */
  publish(channel: Word, message: Word, sharded?: boolean): Promise<number>;
  /** Until `call` ends; `send` is told of each event. */
  subscribe(
    topics: { readonly channels?: readonly Word[]; readonly patterns?: readonly string[] },
    send: (event: SubscribeEvent) => Promise<void> | void,
    call: Call,
  ): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

export const redisOptions = (url: string, more: Partial<RedisOptions> = {}): RedisOptions => ({
  name: 'default',
  connections: 2,
  maxInFlight: 50_000,
  commandTimeoutMs: 2_000,
  connectTimeoutMs: 5_000,
  maxReplyBytes: 16 * 1024 * 1024,
  blockingConnections: 16,
  operationTtlMs: 60_000,
  subscriberBufferBytes: 64 * 1024,
  connection: {
    place: { kind: 'server', host: new URL(url).hostname, port: Number(new URL(url).port) },
    user: undefined,
    password: undefined,
    database: 0,
    tls: undefined,
  },
  ...more,
});

/** The operations on real connections, with replies as plain JavaScript values: bigint, Buffer, null, Error, array. */
export async function openCommands(
  options: readonly RedisOptions[],
  off = false,
): Promise<Commands> {
  const events: string[] = [];
  const linkEvents: LinkEvents = {
    connected: () => events.push('connected'),
    disconnected: (fault) => events.push(`disconnected ${fault}`),
    timedOut: () => events.push('timedOut'),
    gap: (reason) => events.push(`gap ${reason}`),
  };
  const protection = freeTargets();
  const targets = new RedisTargets(options, {
    clock: systemClock,
    random: () => 0.5,
    off,
    events: () => linkEvents,
    target: (name) => protection.of('Redis', name),
  });
  const { unary, streams } = commandOperations(targets, {
    statuses: new StatusEncoder(messages),
    clock: systemClock,
    random: () => 0.5,
  });
  const [command, pipeline, script, publish] = unary as [
    Operation<CommandRequest__Output, Encoded>,
    Operation<PipelineRequest__Output, Encoded>,
    Operation<ScriptRequest__Output, Encoded>,
    Operation<PublishRequest__Output, PublishReply>,
  ];
  const [subscribe] = streams as [StreamOperation<SubscribeRequest__Output, SubscribeEvent>];
  return {
    targets,
    events,
    command: async (words, { pool = '', idempotent = false, call = newCall() } = {}) => {
      const request = { args: words.map((word) => Buffer.from(word)), pool, idempotent };
      const { parts } = await command.handle(request, call);
      return valueOf(decode(replyType, parts));
    },
    script: async (
      body,
      {
        keys = [],
        args = [],
        operationId = '',
        pool = '',
        idempotent = false,
        call = newCall(),
      } = {},
    ) => {
      const request = {
        body,
        keys: keys.map((word) => Buffer.from(word)),
        args: args.map((word) => Buffer.from(word)),
        operationId,
        pool,
        idempotent,
      };
      const { parts } = await script.handle(request, call);
      return valueOf(decode(replyType, parts));
    },
    publish: async (channel, message, sharded = false) => {
      const words = { channel: Buffer.from(channel), message: Buffer.from(message) };
      const { receivers } = await publish.handle({ ...words, sharded, pool: '' }, newCall());
      return Number(receivers);
    },
    subscribe: ({ channels = [], patterns = [] }, send, call) =>
      subscribe.handle(
        { channels: channels.map((word) => Buffer.from(word)), patterns: [...patterns], pool: '' },
        call,
        async (event) => send(event),
      ),
    pipeline: async (
      commands,
      { pool = '', idempotent = false, atomic = false, call = newCall() } = {},
    ) => {
      const request = {
        atomic,
        commands: commands.map((words) => ({ args: words.map((word) => Buffer.from(word)) })),
        pool,
        idempotent,
      };
      const { parts } = await pipeline.handle(request, call);
      const { outcomes } = decode(pipelineType, parts) as PipelineReply__Output;
      return outcomes.map(({ reply, error }) =>
        reply === undefined || reply === null ? outcomeError(error) : valueOf(reply),
      );
    },
    [Symbol.asyncDispose]: () => targets.close(),
  };
}

/** A call with so much time; without a timer: the test ends it. */
export const newCall = (forMs = Infinity): Call =>
  new Call({
    scope: { onClose: () => () => {}, push: () => {} },
    deadlineAtMs: systemClock.now() + forMs,
  });

export const cancel = (call: Call): void => call.end(cancelled());
export const passDeadline = (call: Call): void => call.end(deadlineExceeded());

const decode = (type: typeof replyType, parts: readonly Uint8Array[]): object =>
  type.toObject(type.decode(Buffer.concat(parts)), {
    longs: String,
    enums: String,
    defaults: false,
    arrays: true,
    oneofs: true,
  });

function valueOf(reply: RedisReply__Output): unknown {
  switch (reply.kind) {
    case 'null':
      return null;
    case 'integer':
      return BigInt(reply.integer ?? '');
    case 'bytes':
      return reply.bytes;
    case 'array':
      return (reply.array?.items ?? []).map(valueOf);
    case 'error':
      return new Error(reply.error);
    default:
      throw new Error('the reply has no kind');
  }
}

function outcomeError(status: PipelineReply__Output['outcomes'][number]['error']): OutcomeError {
  if (status === undefined || status === null) throw new Error('the outcome is empty');
  const value = status.details[0]?.value;
  const info = infoType.toObject(infoType.decode(value as Uint8Array));
  return { code: status.code, message: status.message, reason: String(info['reason']) };
}

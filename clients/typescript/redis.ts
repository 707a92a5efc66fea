import type { CallOptions, IdempotentOptions } from './options.ts';
import { undecodable } from './errors.ts';
import type { ServerStreams } from './server-streams.ts';
import type { Transport } from './transport.ts';
import { command, pipeline, publish, script } from './wire/operations.ts';
import type { RedisArgument, RedisValue } from './wire/redis-messages.ts';
import {
  encodeSubscribe,
  readEvent,
  type SubscriptionEvent,
} from './wire/subscription-messages.ts';

/** A command's options. */
export interface CommandOptions extends CallOptions, IdempotentOptions {}

export interface PipelineOptions extends CommandOptions {
  /** Strings of bytes stay Buffers. */
  readonly asBuffers?: boolean | undefined;
  /** All of them or none, with nothing in between (MULTI … EXEC). */
  readonly atomic?: boolean | undefined;
}

export interface ScriptOptions extends CommandOptions {
  /** Every key that the script touches; KEYS. */
  readonly keys?: readonly RedisArgument[] | undefined;
  /** ARGV. */
  readonly args?: readonly RedisArgument[] | undefined;
  /** Names this operation, such as a UUID: however often it is sent, it takes effect once, and the answer is that of the first time. */
  readonly operationId?: string | undefined;
  /** Strings of bytes stay Buffers. */
  readonly asBuffers?: boolean | undefined;
}

export interface PublishOptions extends CallOptions {
  /** To a shard channel (SPUBLISH). */
  readonly sharded?: boolean | undefined;
}

export interface SubscribeOptions extends CallOptions {
  /** Payloads stay Buffers. */
  readonly asBuffers?: boolean | undefined;
}

const subscribePath = '/holdfast.v1.Redis/Subscribe';

/** One Redis of the policy, on connections that are shared with everyone. Costs nothing to make. */
export class Redis {
  readonly #pool: string;
  readonly #transport: Transport;
  readonly #streams: ServerStreams;

  constructor(pool: string, transport: Transport, streams: ServerStreams) {
    this.#pool = pool;
    this.#transport = transport;
    this.#streams = streams;
  }

  /**
   * Runs one command: `command('SET', 'key', 'value', 'PX', 1000)`, or `command(['GET', 'key'], { signal })`. Strings come back as UTF-8; for
   * other bytes there is `commandBuffer`. Integers beyond 2^53 are bigint.
   */
  command(name: string, ...args: readonly RedisArgument[]): Promise<RedisValue>;
  command(args: readonly RedisArgument[], options?: CommandOptions): Promise<RedisValue>;
  command(
    first: string | readonly RedisArgument[],
    ...rest: readonly (RedisArgument | CommandOptions | undefined)[]
  ): Promise<RedisValue> {
    return this.#run(first, rest, false);
  }

  /** The same with every string as the bytes that Redis sent. */
  commandBuffer(name: string, ...args: readonly RedisArgument[]): Promise<RedisValue>;
  commandBuffer(args: readonly RedisArgument[], options?: CommandOptions): Promise<RedisValue>;
  commandBuffer(
    first: string | readonly RedisArgument[],
    ...rest: readonly (RedisArgument | CommandOptions | undefined)[]
  ): Promise<RedisValue> {
    return this.#run(first, rest, true);
  }

  /** Runs several commands in order, in one round trip; without `atomic`, others may come in between. The reply to one that failed is its HoldfastError. */
  pipeline(
    commands: readonly (readonly RedisArgument[])[],
    options: PipelineOptions = {},
  ): Promise<RedisValue[]> {
    const request = {
      commands,
      pool: this.#pool,
      idempotent: options.idempotent === true,
      atomic: options.atomic === true,
      asBuffers: options.asBuffers === true,
    };
    return this.#transport.call(pipeline, request, options);
  }

  /** Runs a Lua script, which Redis keeps after the first time. */
  script(body: string, options: ScriptOptions = {}): Promise<RedisValue> {
    const request = {
      body,
      keys: options.keys ?? [],
      args: options.args ?? [],
      pool: this.#pool,
      operationId: options.operationId ?? '',
      idempotent: options.idempotent === true,
      asBuffers: options.asBuffers === true,
    };
    return this.#transport.call(script, request, options);
  }

  /** Sends a message to the subscribers of a channel, and gives their number. */
  publish(
    channel: RedisArgument,
    message: RedisArgument,
    options: PublishOptions = {},
  ): Promise<number> {
    const request = { channel, message, pool: this.#pool, sharded: options.sharded === true };
    return this.#transport.call(publish, request, options);
  }

  /**
   * Messages of channels and of patterns, until the loop over it ends. Where messages are missing there is a `gap`. It has no deadline unless you
   * give one.
   */
  async *subscribe(
    topics: {
      readonly channels?: readonly (string | Uint8Array)[] | undefined;
      readonly patterns?: readonly string[] | undefined;
    },
    options: SubscribeOptions = {},
  ): AsyncGenerator<SubscriptionEvent, void> {
    const { channels = [], patterns = [] } = topics;
    const request = encodeSubscribe({ channels, patterns, pool: this.#pool });
    for await (const message of this.#streams.messages(subscribePath, request, options)) {
      const event = decoded(message, options.asBuffers === true);
      if (event !== undefined) yield event;
    }
  }

  #run(
    first: string | readonly RedisArgument[],
    rest: readonly unknown[],
    asBuffers: boolean,
  ): Promise<RedisValue> {
    const isList = typeof first !== 'string';
    const args = isList ? first : ([first, ...rest] as RedisArgument[]);
    const options = isList ? ((rest[0] ?? {}) as CommandOptions) : {};
    const request = { args, pool: this.#pool, idempotent: options.idempotent === true, asBuffers };
    return this.#transport.call(command, request, options);
  }
}

function decoded(message: Buffer, asBuffers: boolean): SubscriptionEvent | undefined {
  try {
    return readEvent(message, asBuffers);
  } catch (cause) {
    throw undecodable(cause);
  }
}

import type { CallOptions, IdempotentOptions } from './options.ts';
import type { Transport } from './transport.ts';
import { command, pipeline } from './wire/operations.ts';
import type { RedisArgument, RedisValue } from './wire/redis-messages.ts';

/** A command's options. */
export interface CommandOptions extends CallOptions, IdempotentOptions {}

export interface PipelineOptions extends CommandOptions {
  /** Strings of bytes stay Buffers. */
  readonly asBuffers?: boolean | undefined;
}

/** One Redis of the policy, on connections that are shared with everyone. Costs nothing to make. */
export class Redis {
  readonly #pool: string;
  readonly #transport: Transport;

  constructor(pool: string, transport: Transport) {
    this.#pool = pool;
    this.#transport = transport;
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

  /** Runs several commands in order, in one round trip, not atomically. The reply to one that failed is its HoldfastError. */
  pipeline(
    commands: readonly (readonly RedisArgument[])[],
    options: PipelineOptions = {},
  ): Promise<RedisValue[]> {
    const request = {
      commands,
      pool: this.#pool,
      idempotent: options.idempotent === true,
      asBuffers: options.asBuffers === true,
    };
    return this.#transport.call(pipeline, request, options);
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

import type { HoldfastError } from '../../platform/errors.ts';
import type { PendingCommand } from './pending-command.ts';
import type { LinkOptions, RedisOptions } from './redis-options.ts';
import type { Reply } from './reply.ts';

/** Who calls, as far as a wait has to know. */
export interface Caller {
  readonly ended: HoldfastError | undefined;
  onEnd(listener: (reason: HoldfastError) => void): () => void;
}

/** Which connections: those of all commands, or the one that only scripts use. */
export type Lane = 'shared' | 'scripts';

/** A command that has its connection for itself. */
export interface LoneCommand {
  readonly words: readonly Buffer[];
  readonly harmless: boolean;
  /** How long it may block on the server, in ms. */
  readonly waitMs: number;
  /** Sent before it on the same connection. */
  readonly before?: readonly Buffer[];
}

/** One Redis of the policy, be it one server or many: where commands go. */
export interface RedisBackend {
  readonly name: string;
  readonly options: RedisOptions;
  /** Shared connections that take commands. */
  readonly readyConnections: number;
  /** Shared connections that should be there. */
  readonly wantedConnections: number;
  /** Commands without an answer. */
  readonly inFlight: number;
  /** Connections that block for somebody. */
  readonly blocked: number;
  /** Starts to connect. Resolves when the first attempts have ended, either way, or after `commandTimeoutMs`. */
  open(): Promise<void>;
  /**
   * What to wait for before `send`, at the very start of a connection only: a caller who is early should not fail for it. Later, with Redis
   * down, everybody fails at once. Rejects when the caller gives up.
   */
  opening(caller: Caller, lane: Lane): Promise<void> | undefined;
  /** Sends commands, those for one server one behind the other. Throws when they cannot be sent at all. */
  send(commands: readonly PendingCommand[], lane: Lane): void;
  /**
   * Sends commands to one server with nothing in between; `redirect` is what Redis said when it refused them as not its own. Throws when that
   * cannot be done.
   */
  sendTogether(commands: readonly PendingCommand[], redirect?: string): void;
  /** Runs a command on a connection of its own; `make` is asked again for each attempt. Throws POOL_EXHAUSTED beyond `blockingConnections`. */
  alone(make: () => LoneCommand, caller: Caller): Promise<Reply>;
  /** Where a subscriber connects to. Throws REDIS_UNAVAILABLE when that is not known just now. */
  subscriberPlace(): LinkOptions;
  /** Ends all connections; what is under way fails with REPLY_LOST. */
  close(): Promise<void>;
}

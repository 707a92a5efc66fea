import { Redis, type Command } from 'ioredis';
import type { Clock } from '../../platform/clock.ts';
import type { HoldfastError } from '../../platform/errors.ts';
import { encodeCommands } from './command-encoding.ts';
import { mayFailInPart } from './command-rules.ts';
import { connectionSettings } from './connection-settings.ts';
import type { Carrier, PendingCommand } from './pending-command.ts';
import {
  abandoned,
  commandTimeout,
  faultWord,
  redisUnavailable,
  replyError,
  replyLost,
} from './reply-errors.ts';
import type { LinkOptions } from './redis-options.ts';

/** What a connection tells of itself; for metrics and the log. `fault` is one word: an errno or an error code of Redis. */
export interface LinkEvents {
  connected(): void;
  /** It broke, or could not be made; another attempt follows by itself. */
  disconnected(fault: string): void;
  timedOut(): void;
  /** A subscriber is told that messages may be missing. */
  gap(reason: 'connection-lost' | 'overflow'): void;
}

export interface LinkParts {
  readonly clock: Clock;
  /** 0 to 1, for the jitter of reconnects. */
  readonly random: () => number;
  readonly events: LinkEvents;
}

const firstDelayMs = 50;
const longestDelayMs = 2_000;
const replicaPauseMs = 5_000;

/**
 * One connection that many callers share. Commands of one turn of the event loop go out as one write; replies come in the same order.
 * ioredis connects, authenticates, reconnects and parses; what it does around a single command is left out (PendingCommand).
 */
export class Link implements Carrier {
  readonly #options: LinkOptions;
  readonly #parts: LinkParts;
  readonly #redis: Redis;
  #batch: PendingCommand[] = [];
  /** What ioredis has taken of the batch that is being sent. */
  #taken: PendingCommand[] = [];
  #scheduled = false;
  /** Sent and unanswered, oldest first. */
  #oldest: PendingCommand | undefined;
  #youngest: PendingCommand | undefined;
  #underWay = 0;
  #watching = false;
  #fault = 'CONNECTING';
  #reconnectAtMs = 0;
  #leftReplicaAtMs = -Infinity;
  #closed = false;
  #opening: Promise<void> | undefined;

  constructor(options: LinkOptions, parts: LinkParts) {
    this.#options = options;
    this.#parts = parts;
    this.#redis = new Redis({
      ...connectionSettings(options),
      stringNumbers: true,
      retryStrategy: (attempt) => this.#nextDelayMs(attempt),
      reconnectOnError: (error) => this.#leavesReplica(error),
    });
    this.#redis.on('ready', () => parts.events.connected());
    this.#redis.on('error', (error) => {
      this.#fault = faultWord(error);
    });
    this.#redis.on('close', () => {
      if (!this.#closed) parts.events.disconnected(this.#fault);
    });
  }

  /**
   * Starts to connect, and goes on trying for ever. Resolves when the first attempt has ended, either way, or has lasted for
   * `commandTimeoutMs`.
   */
  open(): Promise<void> {
    this.#opening ??= new Promise<void>((resolve) => {
      const stop = this.#parts.clock.after(this.#options.commandTimeoutMs, resolve);
      this.#redis
        .connect()
        .catch((error: unknown) => {
          if (this.#fault === 'CONNECTING') this.#fault = faultWord(error);
        })
        .finally(() => {
          stop();
          resolve();
        });
    });
    return this.#opening;
  }

  /** A batch of this turn waits to be sent: what joins it costs no write of its own. */
  get collecting(): boolean {
    return this.#scheduled;
  }

  get ready(): boolean {
    return this.#redis.status === 'ready';
  }

  /** Commands in the batch, and those that Redis owes a reply, whether or not somebody still waits for it. */
  get underWay(): number {
    return this.#underWay;
  }

  /** How long the oldest command has been waiting for its answer; 0 for none. */
  oldestMs(nowMs: number): number {
    return this.#oldest === undefined ? 0 : nowMs - this.#oldest.sentAtMs;
  }

  get fault(): string {
    return this.#fault;
  }

  /** Until the next attempt to connect, and a little. */
  get retryAfterMs(): number {
    return Math.max(0, Math.ceil(this.#reconnectAtMs - this.#parts.clock.now())) + 20;
  }

  /** Takes a command into this turn's batch. */
  send(command: PendingCommand): void {
    command.carrier = this;
    this.#underWay += 1;
    this.#batch.push(command);
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(this.#flush);
  }

  /** Ends the connection; what is under way fails with REPLY_LOST. */
  async close(): Promise<void> {
    this.#closed = true;
    const redis = this.#redis;
    const { status } = redis;
    // While it waits to reconnect there is no socket whose end could be waited for.
    const open = status === 'ready' || status === 'connect' || status === 'connecting';
    const ended = open ? new Promise<void>((resolve) => redis.once('end', resolve)) : undefined;
    redis.disconnect();
    redis.stream?.destroy();
    await ended;
  }

  readonly #sink = {
    isPipeline: true as const,
    destination: { redis: { stream: undefined as never } },
    write: (command: unknown): void => {
      this.#taken.push(command as PendingCommand);
    },
  };

  readonly #flush = (): void => {
    this.#scheduled = false;
    const batch = this.#batch;
    this.#batch = [];
    const redis = this.#redis;
    const nowMs = this.#parts.clock.now();
    const bytesRead = redis.stream?.bytesRead ?? 0;
    for (const command of batch) {
      // Those whose callers gave up before anything was sent.
      if (command.state !== 'waiting') {
        this.#underWay -= 1;
        continue;
      }
      command.sentAtMs = nowMs;
      command.bytesReadBefore = bytesRead;
      redis.sendCommand(command as unknown as Command, this.#sink);
    }
    const taken = this.#taken;
    if (taken.length === 0) return;
    this.#taken = [];
    for (const command of taken) this.#append(command);
    const pieces = encodeCommands(taken.map(({ words }) => words));
    const { stream } = redis;
    if (pieces.length > 1) stream.cork();
    for (const piece of pieces) stream.write(piece);
    if (pieces.length > 1) stream.uncork();
    if (!this.#watching) this.#watch(this.#options.commandTimeoutMs + (taken[0]?.waitMs ?? 0));
  };

  #append(command: PendingCommand): void {
    command.previous = this.#youngest;
    if (this.#youngest === undefined) this.#oldest = command;
    else this.#youngest.next = command;
    this.#youngest = command;
  }

  returned(): void {
    this.#underWay -= 1;
  }

  settled(command: PendingCommand): void {
    const { previous, next } = command;
    if (previous !== undefined) previous.next = next;
    else if (this.#oldest === command) this.#oldest = next;
    if (next !== undefined) next.previous = previous;
    else if (this.#youngest === command) this.#youngest = previous;
    command.previous = undefined;
    command.next = undefined;
  }

  failureOf(error: Error, command: PendingCommand): HoldfastError {
    const { name } = this.#options;
    if (error.name === 'ReplyError') {
      return replyError(error.message, name, mayRunInPart(command));
    }
    return command.state === 'sent'
      ? replyLost(name, command.harmless)
      : redisUnavailable(name, this.#fault, this.retryAfterMs);
  }

  abandonedBy(reason: HoldfastError, command: PendingCommand): HoldfastError {
    return abandoned(this.#options.name, command.harmless, reason);
  }

  /** One timer for all commands: it rings for the oldest. */
  #watch(delayMs: number): void {
    this.#watching = true;
    this.#parts.clock.after(delayMs, () => this.#expire());
  }

  #expire(): void {
    const { commandTimeoutMs, name } = this.#options;
    const nowMs = this.#parts.clock.now();
    const stream = this.#redis.stream;
    let silent = false;
    for (;;) {
      const command = this.#oldest;
      if (command === undefined) {
        this.#watching = false;
        break;
      }
      const leftMs = command.sentAtMs + commandTimeoutMs + command.waitMs - nowMs;
      if (leftMs > 0) {
        this.#watch(leftMs);
        break;
      }
      silent ||= stream?.bytesRead === command.bytesReadBefore;
      this.#parts.events.timedOut();
      command.fail(commandTimeout(name, commandTimeoutMs));
    }
    // Not a byte since then: the peer is gone, or as good as gone, and TCP would take many minutes to say so.
    if (silent) {
      this.#fault = 'ETIMEDOUT';
      stream?.destroy();
    }
  }

  #nextDelayMs(attempt: number): number | null {
    if (this.#closed) return null;
    const most = Math.min(longestDelayMs, firstDelayMs * 2 ** Math.min(attempt - 1, 10));
    const delayMs = most / 2 + (this.#parts.random() * most) / 2;
    this.#reconnectAtMs = this.#parts.clock.now() + delayMs;
    return delayMs;
  }

  /** After a failover the name may lead to the new master: worth a new connection, but not one for every write. */
  #leavesReplica(error: Error): boolean {
    const nowMs = this.#parts.clock.now();
    if (!error.message.startsWith('READONLY')) return false;
    if (nowMs < this.#leftReplicaAtMs + replicaPauseMs) return false;
    this.#leftReplicaAtMs = nowMs;
    this.#fault = 'READONLY';
    return true;
  }
}

const mayRunInPart = ({ words: [name], harmless }: PendingCommand): boolean =>
  !harmless && mayFailInPart(name);

import type { HoldfastError } from '../../platform/errors.ts';
import type { Reply } from './reply.ts';

/** Who waits for a command; told once. `index` is the command's place in its pipeline. */
export interface Waiter {
  answered(reply: Reply, index: number): void;
  failed(error: HoldfastError, index: number): void;
}

/** What a connection does for the commands it carries. */
export interface Carrier {
  /** Nobody waits for the command any more. */
  settled(command: PendingCommand): void;
  /** ioredis is done with a command: its reply came, or its connection went. */
  returned(): void;
  /** What ioredis threw at a command, in our words. */
  failureOf(error: Error, command: PendingCommand): HoldfastError;
  /** The caller gave up on a command that was sent. */
  abandonedBy(reason: HoldfastError, command: PendingCommand): HoldfastError;
}

const noArgs: readonly never[] = [];

/**
 * A command on its way, in the shape that ioredis expects of its own Command: it only has to match replies with commands, so nothing else of
 * a Command is there, no promise, no timer and no copy of the arguments.
 *
 * States: waiting (in a connection's batch) → sent → settled; waiting → settled; sent → waiting when Redis sent it elsewhere. Whatever comes
 * after settled is dropped.
 */
export class PendingCommand {
  /** The name and its arguments. */
  readonly words: readonly Buffer[];
  /** Running it twice, or not knowing whether it ran, does no harm. */
  readonly harmless: boolean;
  readonly index: number;
  state: 'waiting' | 'sent' | 'settled' = 'waiting';
  /** Set when the connection takes it over. */
  carrier: Carrier | undefined;
  sentAtMs = 0;
  /** Bytes that the connection had read when it was sent. */
  bytesReadBefore = 0;
  /** How long it may block on the server before it counts as late. */
  waitMs = 0;
  /** How often Redis sent it elsewhere. */
  hops = 0;
  /** Asked first when Redis answers with an error: true when it took the command over, because the error says that it ran nowhere. */
  redirect: ((message: string, command: PendingCommand) => boolean) | undefined;
  previous: PendingCommand | undefined;
  next: PendingCommand | undefined;
  readonly #waiter: Waiter;

  constructor(words: readonly Buffer[], harmless: boolean, waiter: Waiter, index: number) {
    this.words = words;
    this.harmless = harmless;
    this.#waiter = waiter;
    this.index = index;
  }

  /** The caller gave up. */
  abandon(reason: HoldfastError): void {
    if (this.state === 'settled') return;
    this.fail(this.state === 'sent' ? (this.carrier?.abandonedBy(reason, this) ?? reason) : reason);
  }

  fail(error: HoldfastError): void {
    if (this.state === 'settled') return;
    this.#settle();
    this.#waiter.failed(error, this.index);
  }

  /** Redis did not run it: it may be sent once more, elsewhere. */
  detach(): void {
    this.carrier?.settled(this);
    this.carrier = undefined;
    this.state = 'waiting';
  }

  #settle(): void {
    this.state = 'settled';
    this.carrier?.settled(this);
  }

  // From here on: what ioredis asks of a command.

  resolve(reply: Reply): void {
    this.carrier?.returned();
    if (this.state === 'settled') return;
    this.#settle();
    this.#waiter.answered(reply, this.index);
  }

  reject(error: Error): void {
    const { carrier } = this;
    if (carrier === undefined) return;
    carrier.returned();
    if (this.state === 'settled') return;
    if (error.name === 'ReplyError' && this.redirect?.(error.message, this) === true) return;
    this.fail(carrier.failureOf(error, this));
  }

  /** ioredis writes what this returns: the batch that collects it encodes all of its commands at once. */
  toWritable(): this {
    this.state = 'sent';
    return this;
  }

  /** No command that ioredis treats in a way of its own. */
  get name(): string {
    return 'holdfast';
  }

  /** ioredis puts these on the errors it makes; keys and values have no place there. */
  get args(): readonly never[] {
    return noArgs;
  }

  /** ioredis would publish the arguments of a command that is not. */
  get isTraced(): boolean {
    return true;
  }

  setReplyContext(): void {}

  /** The connection has one timer for all of its commands. */
  setTimeout(): void {}
}

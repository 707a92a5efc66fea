import type { Clock } from '../../../platform/clock.ts';
import { HoldfastError } from '../errors.ts';
import type { Loss } from '../wire/lock-messages.ts';
import { LiveSession, type MessageStream } from './live-session.ts';

const firstBackoffMs = 25;
const longestBackoffMs = 1_000;

/** What a stream tells the keeper. */
export interface StreamEvents {
  readonly onMessage: (message: Buffer) => void;
  readonly onDrain: () => void;
  /** Once, last. Undefined for an orderly end. */
  readonly onEnd: (error: HoldfastError | undefined) => void;
}

/** Opens a stream for Session.Open; it waits for a connection as long as it takes. */
export type OpenStream = (events: StreamEvents) => MessageStream;

interface KeeperEvents {
  /** Calls can be sent, or more of them than before. */
  onRoom(): void;
  /** The session is over; `error` says why. It was never ready when the sidecar refused it from the start. */
  onEnd(session: LiveSession, wasReady: boolean, error: HoldfastError | undefined): void;
  /** A lock is lost, or whatever else was open has ended with its session. */
  onLost(id: string, loss: Loss): void;
  /** Whether calls wait for a session. */
  isWanted(): boolean;
}

/**
 * Keeps one session for those who want one.
 *
 * idle → opening, when it is wanted; opening → ready, when the sidecar has said hello; at its end → opening again when it is still wanted, after
 * a pause when it never was ready, else idle. Closed for good by `close`.
 */
export class SessionKeeper {
  readonly #clock: Clock;
  readonly #openStream: OpenStream;
  readonly #events: KeeperEvents;
  #state: 'idle' | 'opening' | 'ready' | 'pausing' = 'idle';
  #session: LiveSession | undefined;
  #failures = 0;
  #lastError: HoldfastError | undefined;
  #onOver: (() => void) | undefined;

  constructor(clock: Clock, openStream: OpenStream, events: KeeperEvents) {
    this.#clock = clock;
    this.#openStream = openStream;
    this.#events = events;
  }

  /** The session, from the first attempt to open it until its end. */
  get session(): LiveSession | undefined {
    return this.#session;
  }

  get isReady(): boolean {
    return this.#state === 'ready';
  }

  /** Why there is no session; undefined while there is one, or nothing went wrong. */
  get lastError(): HoldfastError | undefined {
    return this.#lastError;
  }

  /** Sees to it that there will be a session. */
  want(): void {
    if (this.#state === 'idle') this.#open();
  }

  /** Ends the session: at once when nobody waits for an answer, else when all have theirs, and after `graceMs` in any case. */
  async close(graceMs: number): Promise<void> {
    const session = this.#session;
    if (session === undefined) return;
    const over = new Promise<void>((resolve) => {
      this.#onOver = resolve;
    });
    if (this.#state === 'ready' && session.isAwaited) session.end();
    else session.cancel();
    const stop = this.#clock.after(graceMs, () => session.cancel());
    await over;
    stop();
  }

  #open(): void {
    this.#state = 'opening';
    let fault: HoldfastError | undefined;
    this.#session = new LiveSession(
      (session) =>
        this.#openStream({
          onMessage: (message) => {
            if (fault !== undefined) return;
            try {
              session.receive(message);
            } catch (cause) {
              fault = protocolError(cause);
              session.cancel();
            }
          },
          onDrain: () => session.onDrain(),
          onEnd: (error) => this.#end(session, fault ?? error),
        }),
      {
        onReady: () => {
          this.#state = 'ready';
          this.#failures = 0;
          this.#lastError = undefined;
        },
        onLost: (id, loss) => this.#events.onLost(id, loss),
        onRoom: () => {
          this.#events.onRoom();
          if (this.#onOver !== undefined && this.#session?.isAwaited === false) {
            this.#session.cancel();
          }
        },
      },
    );
  }

  #end(session: LiveSession, error: HoldfastError | undefined): void {
    const wasReady = this.#state === 'ready';
    this.#state = 'idle';
    this.#session = undefined;
    this.#lastError = error;
    this.#events.onEnd(session, wasReady, error);
    this.#onOver?.();
    if (!this.#events.isWanted()) return;
    if (wasReady) this.#open();
    else void this.#openLater();
  }

  /** A sidecar that ends its sessions before they begin is left alone for a while. This wait keeps the process alive: calls depend on it. */
  async #openLater(): Promise<void> {
    this.#state = 'pausing';
    const delayMs = Math.min(longestBackoffMs, firstBackoffMs * 2 ** this.#failures);
    this.#failures += 1;
    await this.#clock.sleep(delayMs);
    this.#state = 'idle';
    if (this.#events.isWanted()) this.#open();
  }
}

const protocolError = (cause: unknown): HoldfastError =>
  new HoldfastError('INTERNAL', 'SESSION_PROTOCOL', 'the sidecar broke the rules of a session', {
    cause,
  });

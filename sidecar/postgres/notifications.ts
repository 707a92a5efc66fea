import type { Clock } from '../../platform/clock.ts';
import type { NotificationSession } from './notification-session.ts';

/** Hears what is sent to one channel. */
export interface NotificationListener {
  /**
   * From now on it hears everything, for the first time or again: what was sent before may have been missed. `ticket` proves to the server that this
   * sidecar listens (`listenerLocks`), until the next one.
   */
  listening(ticket: number): void;
  notified(payload: string): void;
  /** It hears nothing until it is told that it is listening again. */
  lost?(): void;
}

interface NotificationsParts {
  readonly clock: Clock;
  readonly random: () => number;
  /** Asked at each attempt. */
  readonly open: () => Promise<NotificationSession>;
  /** How often the server is asked whether it is there, and how long that may take; 10 s unless it is given. */
  readonly probeMs?: number;
  /** The server cannot be reached; told at each attempt. */
  readonly onFailure?: (thrown: unknown) => void;
}

const firstPauseMs = 100;
const longestPauseMs = 3_000;

/**
 * The one session of a pool that listens, for all who do. It is made for the first of them, ended with the last one, and made again when it was lost.
 *
 * States: idle (nobody listens) → connecting → connected → connecting … A channel is listened to as long as somebody does; who joins is told when the
 * server has confirmed it.
 */
export class Notifications {
  readonly #parts: NotificationsParts;
  readonly #listeners = new Map<string, Set<NotificationListener>>();
  #session: NotificationSession | undefined;
  #stopWaiting: () => void = () => {};
  #endLife: () => void = () => {};
  #running = false;

  constructor(parts: NotificationsParts) {
    this.#parts = parts;
  }

  /** Tells `listener` of everything that is sent to a channel. The result takes it off again. */
  listen(channel: string, listener: NotificationListener): () => void {
    const listeners = this.#listeners.get(channel) ?? new Set();
    this.#listeners.set(channel, listeners);
    listeners.add(listener);
    if (this.#session !== undefined) void this.#subscribe(this.#session, channel, [listener]);
    else void this.#run();
    return () => this.#leave(channel, listener);
  }

  /** Somebody listens. */
  get isWanted(): boolean {
    return this.#listeners.size > 0;
  }

  /** Waits no longer before the next attempt to connect. */
  retry(): void {
    this.#stopWaiting();
  }

  /** Connects anew, as after a change of the settings. */
  renew(): void {
    this.#drop();
  }

  /** Ends the session. Nobody is told anything any more. */
  close(): void {
    this.#listeners.clear();
    this.#stopWaiting();
    this.#drop();
  }

  #leave(channel: string, listener: NotificationListener): void {
    const listeners = this.#listeners.get(channel);
    if (listeners?.delete(listener) !== true || listeners.size > 0) return;
    this.#listeners.delete(channel);
    if (this.#listeners.size === 0) {
      this.#stopWaiting();
      this.#drop();
    } else {
      // Should it fail, so does the session.
      this.#session?.query(`UNLISTEN ${quoted(channel)}`).catch(() => {});
    }
  }

  /** Keeps a session as long as somebody listens. */
  async #run(): Promise<void> {
    if (this.#running) return;
    this.#running = true;
    let failures = 0;
    while (this.#listeners.size > 0) {
      const startedAtMs = this.#parts.clock.now();
      try {
        await this.#live(await this.#parts.open());
      } catch (thrown) {
        this.#parts.onFailure?.(thrown);
      }
      const livedMs = this.#parts.clock.now() - startedAtMs;
      failures = livedMs > longestPauseMs ? 0 : failures + 1;
      if (this.#listeners.size > 0) await this.#pause(failures);
    }
    this.#running = false;
  }

  /** Until the session ends. */
  async #live(session: NotificationSession): Promise<void> {
    // Everybody left while it was being made.
    if (this.#listeners.size === 0) return session.destroy();
    const ended = new Promise<void>((resolve) => {
      this.#endLife = resolve;
      session.onEnd(resolve);
    });
    this.#session = session;
    session.onNotification((channel, payload) => {
      if (this.#session !== session) return;
      for (const each of this.#listeners.get(channel) ?? []) each.notified(payload);
    });
    for (const [channel, listeners] of this.#listeners) {
      void this.#subscribe(session, channel, [...listeners]);
    }
    const stopProbing = this.#probe(session);
    await ended;
    stopProbing();
    if (this.#session === session) this.#drop();
  }

  async #subscribe(
    session: NotificationSession,
    channel: string,
    joining: readonly NotificationListener[],
  ): Promise<void> {
    try {
      await session.query(`LISTEN ${quoted(channel)}`);
    } catch {
      if (this.#session === session) this.#endLife();
      return;
    }
    if (this.#session !== session) return;
    const listeners = this.#listeners.get(channel);
    for (const each of joining) if (listeners?.has(each) === true) each.listening(session.ticket);
  }

  /** A server that is gone without a word is found out. The result stops it. */
  #probe({ query }: NotificationSession): () => void {
    const { clock, probeMs = 10_000 } = this.#parts;
    let stop = (): void => {};
    const wait = (): void => {
      stop = clock.after(probeMs, ask);
    };
    const ask = (): void => {
      stop = clock.after(probeMs, this.#endLife);
      query('').then(
        () => {
          stop();
          wait();
        },
        () => {},
      );
    };
    wait();
    return () => stop();
  }

  /** Ends the session that is there, and tells everybody. */
  #drop(): void {
    const session = this.#session;
    if (session === undefined) return;
    this.#session = undefined;
    session.destroy();
    for (const listeners of this.#listeners.values()) {
      for (const each of listeners) each.lost?.();
    }
  }

  #pause(failures: number): Promise<void> {
    const { clock, random } = this.#parts;
    const mostMs = Math.min(longestPauseMs, firstPauseMs * 2 ** (failures - 1));
    return new Promise((resolve) => {
      const stop = clock.after(random() * mostMs, resolve);
      this.#stopWaiting = () => {
        stop();
        resolve();
      };
    });
  }
}

const quoted = (channel: string): string => `"${channel.replaceAll('"', '""')}"`;

import type { NotificationSession } from './notification-session.ts';
import {
  type Cuttable,
  freePermit,
  type JoinBudget,
  type SessionBudget,
  type SessionHolder,
  type SessionPermit,
  sessionTooLate,
} from './session-budget.ts';

interface Parts {
  /** Of the pool, as its settings are now. The same function for the same budget. */
  readonly joinBudget: () => JoinBudget | undefined;
  readonly isWanted: () => boolean;
  /** Ends the session; another one is opened if somebody listens. */
  readonly renew: () => void;
  /** Waits no longer before the next attempt to open one. */
  readonly retry: () => void;
}

/** A session that listens, under the connection budget of its pool. A share of one session is for calls: they could not run beside it. */
export class ListeningBudget implements SessionHolder {
  readonly pool: string;
  readonly leastShare = 2;
  readonly waitedMs = 0;
  readonly #parts: Parts;
  #join: JoinBudget | undefined;
  #budget: SessionBudget | undefined;
  #session: NotificationSession | undefined;

  constructor(pool: string, parts: Parts) {
    this.pool = pool;
    this.#parts = parts;
  }

  /** Opens a session if the budget has room. */
  async open(
    connect: (permit: SessionPermit) => Promise<NotificationSession>,
  ): Promise<NotificationSession> {
    this.configure();
    const permit = this.#budget === undefined ? freePermit : this.#budget.reserve();
    if (permit === undefined) throw sessionTooLate(this.pool);
    const session = await connect(permit).finally(() => permit.end());
    this.#session = session;
    session.onEnd(() => {
      if (this.#session === session) this.#session = undefined;
    });
    return session;
  }

  /** The settings may have changed: a session of another budget is left. */
  configure(): void {
    const join = this.#parts.joinBudget();
    if (join === this.#join) return;
    this.#budget?.leave();
    this.#join = join;
    this.#budget = join?.(this);
    if (this.#session !== undefined) this.#parts.renew();
  }

  get sessions(): number {
    return this.#session === undefined ? 0 : 1;
  }

  get demand(): number {
    return this.#parts.isWanted() ? 1 : 0;
  }

  /** Whoever listens waits for it. */
  get waiting(): number {
    return this.demand - this.sessions > 0 ? 1 : 0;
  }

  /** It is never idle: what is sent while it is away is missed. */
  closeIdle(): number {
    return 0;
  }

  /** It is opened again as soon as there is room. */
  get busy(): readonly Cuttable[] {
    return this.#session === undefined ? [] : [{ loss: 0, cut: () => this.#parts.renew() }];
  }

  room(): void {
    this.#parts.retry();
  }
}

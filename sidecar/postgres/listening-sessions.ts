import { isDeepStrictEqual } from 'node:util';
import type { Clock } from '../../platform/clock.ts';
import { ListeningBudget } from './listening-budget.ts';
import { openNotificationSession, type NotificationTarget } from './notification-session.ts';
import { Notifications } from './notifications.ts';
import type { JoinBudget } from './session-budget.ts';

interface ListeningParts {
  readonly clock: Clock;
  readonly random: () => number;
  /** Of now; throws UNKNOWN_POOL. */
  readonly target: (pool: string) => NotificationTarget;
  /** The connection budget of a pool, if it has one. */
  readonly joinBudget?: (pool: string) => JoinBudget | undefined;
  readonly onFailure: (pool: string, thrown: unknown) => void;
}

interface Listening {
  readonly notifications: Notifications;
  readonly budget: ListeningBudget;
  /** What it connected to last. */
  target: NotificationTarget | undefined;
}

/** The sessions that listen, by pool: one each, once somebody listens. */
export class ListeningSessions {
  readonly #parts: ListeningParts;
  readonly #byPool = new Map<string, Listening>();

  constructor(parts: ListeningParts) {
    this.#parts = parts;
  }

  of(pool: string): Notifications {
    const known = this.#byPool.get(pool);
    if (known !== undefined) return known.notifications;
    const { clock, random, target, joinBudget, onFailure } = this.#parts;
    const budget = new ListeningBudget(pool, {
      joinBudget: () => joinBudget?.(pool),
      isWanted: () => notifications.isWanted,
      renew: () => notifications.renew(),
      retry: () => notifications.retry(),
    });
    const notifications = new Notifications({
      clock,
      random,
      open: () => {
        const to = target(pool);
        listening.target = to;
        return budget.open((permit) => openNotificationSession(to, permit));
      },
      onFailure: (thrown) => onFailure(pool, thrown),
    });
    const listening: Listening = { notifications, budget, target: undefined };
    this.#byPool.set(pool, listening);
    return notifications;
  }

  /** Settings have changed: those that are connected elsewhere now connect anew. */
  configure(): void {
    for (const [pool, { notifications, budget, target }] of this.#byPool) {
      budget.configure();
      if (target === undefined || isDeepStrictEqual(target, this.#now(pool))) continue;
      notifications.renew();
    }
  }

  close(): void {
    for (const { notifications } of this.#byPool.values()) notifications.close();
  }

  #now(pool: string): NotificationTarget | undefined {
    try {
      return this.#parts.target(pool);
    } catch {
      return undefined;
    }
  }
}

import type { Registry } from 'prom-client';
import type { Clock } from '../../platform/clock.ts';
import type { Logger } from '../../platform/logger.ts';
import type { BudgetLink } from './budget-link.ts';
import { connectionBudgetMetrics } from './budget-metrics.ts';
import { BudgetShare } from './budget-share.ts';
import type { Floors } from './floors.ts';

interface BudgetsParts {
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Logger;
  readonly registry: Registry;
  readonly link: BudgetLink;
  readonly floors: Floors;
}

/** Shares of connection budgets by name. One that was ever used keeps its share until the sidecar stops: the controller gives its floor to nobody else. */
export class ConnectionBudgets {
  readonly #parts: Omit<BudgetsParts, 'registry'>;
  readonly #byName = new Map<string, BudgetShare>();
  readonly #eventsOf: ReturnType<typeof connectionBudgetMetrics>;

  constructor({ registry, ...parts }: BudgetsParts) {
    this.#parts = parts;
    this.#eventsOf = connectionBudgetMetrics(registry, () => [...this.#byName.values()]);
    parts.link.onGrant((budget, grant) => this.#byName.get(budget)?.take(grant));
  }

  of(name: string): BudgetShare {
    let share = this.#byName.get(name);
    if (share === undefined) {
      share = new BudgetShare(name, { ...this.#parts, events: this.#eventsOf(name) });
      this.#byName.set(name, share);
    }
    return share;
  }

  /** Opens no more, and tells the controller that all is closed. */
  leave(): void {
    for (const share of this.#byName.values()) share.leave();
  }
}

import type { ConnectionBudget } from '../../crds/connection-budget.ts';
import type { Grant } from '../../platform/gen/holdfast/control/v1/Grant.ts';
import type { Heartbeat__Output } from '../../platform/gen/holdfast/control/v1/Heartbeat.ts';
import { BudgetKeeper } from './budget-keeper.ts';
import type { BudgetView } from './budget-metrics.ts';
import type { BudgetPorts } from './budget-ports.ts';
import type { HeartbeatSender } from './wire-messages.ts';

/** All connection budgets: kept while this replica leads, known always. */
export class BudgetKeepers {
  readonly #ports: BudgetPorts;
  readonly #budgets = new Map<string, ConnectionBudget>();
  readonly #keepers = new Map<string, BudgetKeeper>();
  #leads = false;

  constructor(ports: BudgetPorts) {
    this.#ports = ports;
  }

  /** Leadership has begun: each ledger is taken over. The caches should be synced. */
  lead(): void {
    this.#leads = true;
    for (const name of this.#budgets.keys()) this.#keep(name);
  }

  /** Leadership has ended, or the process is about to: nothing is granted or written any more. */
  follow(): void {
    this.#leads = false;
    for (const keeper of this.#keepers.values()) keeper.stop();
    this.#keepers.clear();
  }

  /** A budget as the watch has it now; undefined = it is gone, or cannot be kept. */
  budgetChanged(name: string, budget: ConnectionBudget | undefined): void {
    const former = this.#budgets.get(name);
    const another = former !== undefined && former.metadata.uid !== budget?.metadata.uid;
    if (budget === undefined) this.#budgets.delete(name);
    else this.#budgets.set(name, budget);
    if (another) {
      this.#keepers.get(name)?.stop();
      this.#keepers.delete(name);
    }
    if (budget === undefined || !this.#leads) return;
    const keeper = this.#keepers.get(name);
    if (keeper === undefined) this.#keep(name);
    else keeper.configure(budget);
  }

  /** The grant that answers a heartbeat, to be sent at once; undefined = none. */
  onHeartbeat(sender: HeartbeatSender, heartbeat: Heartbeat__Output): Grant | undefined {
    return this.#keepers.get(heartbeat.budget)?.answer(sender, heartbeat);
  }

  /** Those whose books are open, by name. */
  views(): Map<string, BudgetView> {
    const views = new Map<string, BudgetView>();
    for (const [name, { view }] of this.#keepers) if (view !== undefined) views.set(name, view);
    return views;
  }

  #keep(name: string): void {
    const budget = this.#budgets.get(name);
    if (budget === undefined || this.#keepers.has(name)) return;
    this.#keepers.set(name, new BudgetKeeper(budget, this.#ports));
  }
}

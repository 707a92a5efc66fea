import type { Grant__Output } from '../../platform/gen/holdfast/control/v1/Grant.ts';
import type { Heartbeat } from '../../platform/gen/holdfast/control/v1/Heartbeat.ts';

/** What carries heartbeats of connection budgets to the controller, and grants back. */
export interface BudgetLink {
  /** Of this start: grants of another one are not for us. */
  readonly boot: number;
  /** False: nobody listens just now, and the heartbeat is lost. */
  send(heartbeat: Heartbeat): boolean;
  /** Whoever takes grants; one at a time, the last one that asked. */
  onGrant(take: (budget: string, grant: Grant__Output) => void): void;
}

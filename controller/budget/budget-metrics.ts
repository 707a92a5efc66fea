import { Counter, Gauge, type Registry } from 'prom-client';

/** What the keepers count. */
export interface BudgetMetrics {
  /** A heartbeat was answered; so many sessions are to be terminated. */
  granted(budget: string, terminated: number): void;
  /** A heartbeat was not taken. */
  refused(budget: string, reason: 'malformed' | 'namespace'): void;
  /** The server refused so many sessions more. */
  serverRefused(budget: string, count: number): void;
  written(budget: string, result: 'written' | 'conflict' | 'failed'): void;
}

/** The state of a budget at a scrape, in sessions. */
export interface BudgetView {
  readonly room: number;
  readonly counted: number;
  readonly foreign: number;
  readonly free: number;
  readonly pods: number;
  readonly floors: number;
  readonly demand: number;
}

const gauges = [
  [
    'holdfast_controller_budget_room',
    'room',
    'Sessions that all pods may have together: total - reserve.',
  ],
  ['holdfast_controller_budget_sessions', 'counted', 'Sessions that pods have, or may have.'],
  [
    'holdfast_controller_budget_foreign_sessions',
    'foreign',
    'Sessions on the server that belong to no pod.',
  ],
  [
    'holdfast_controller_budget_free',
    'free',
    'Sessions that may still be granted; negative while more is out than may be.',
  ],
  ['holdfast_controller_budget_pods', 'pods', 'Pods in the ledger.'],
  [
    'holdfast_controller_budget_floors',
    'floors',
    'Sessions that pods keep without the controller, all together.',
  ],
  [
    'holdfast_controller_budget_demand',
    'demand',
    'Sessions that pods could use now, all together.',
  ],
] as const satisfies readonly (readonly [string, keyof BudgetView, string])[];

/** Metrics of connection budgets; `views` is read at each scrape, and has only those that this replica keeps. */
export function budgetMetrics(
  registry: Registry,
  views: () => ReadonlyMap<string, BudgetView>,
): BudgetMetrics {
  const registers = [registry];
  for (const [name, field, help] of gauges) {
    const gauge: Gauge<'budget'> = new Gauge({
      name,
      help,
      labelNames: ['budget'],
      registers,
      collect: () => {
        gauge.reset();
        for (const [budget, view] of views()) gauge.set({ budget }, view[field]);
      },
    });
  }
  const counter = <Label extends string>(name: string, labelNames: Label[], help: string) =>
    new Counter({ name, help, labelNames, registers });
  const grants = counter(
    'holdfast_controller_budget_grants_total',
    ['budget'],
    'Heartbeats that were answered with a grant.',
  );
  const unanswered = counter(
    'holdfast_controller_budget_heartbeats_refused_total',
    ['budget', 'reason'],
    'Heartbeats that were not taken.',
  );
  const refusals = counter(
    'holdfast_controller_budget_server_refusals_total',
    ['budget'],
    'Sessions that the server refused (53300), and that callers waited for.',
  );
  const terminated = counter(
    'holdfast_controller_budget_terminated_total',
    ['budget'],
    'Sessions without an owner that a sidecar was told to end.',
  );
  const writes = counter(
    'holdfast_controller_budget_ledger_writes_total',
    ['budget', 'result'],
    'Writes of a status.',
  );
  return {
    granted: (budget, sessions) => {
      grants.inc({ budget });
      if (sessions > 0) terminated.inc({ budget }, sessions);
    },
    refused: (budget, reason) => unanswered.inc({ budget, reason }),
    serverRefused: (budget, count) => {
      if (count > 0) refusals.inc({ budget }, count);
    },
    written: (budget, result) => writes.inc({ budget, result }),
  };
}

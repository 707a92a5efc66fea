import { Counter, Gauge, type Registry } from 'prom-client';

/** What a budget tells when it is asked. */
export interface BudgetReading {
  readonly name: string;
  readonly most: number;
  readonly floor: number;
  readonly sessions: number;
  readonly demand: number;
}

/** What happens to the sessions of one budget. */
export interface BudgetEvents {
  /** The server refused a session that the share allowed (53300). */
  refused(): void;
  /** A session in use was cut. */
  cut(): void;
  /** A grant was put in force. */
  granted(): void;
}

/** Metrics of the connection budgets as this sidecar sees them. `read` is asked at each scrape; the result gives the events of one budget. */
export function connectionBudgetMetrics(
  registry: Registry,
  read: () => readonly BudgetReading[],
): (budget: string) => BudgetEvents {
  const registers = [registry];
  const labelNames = ['budget'] as const;
  const gauge = (name: string, help: string, value: (reading: BudgetReading) => number): void =>
    void new Gauge({
      name,
      help,
      labelNames,
      registers,
      collect() {
        for (const each of read()) this.set({ budget: each.name }, value(each));
      },
    });
  gauge(
    'holdfast_connection_budget_share',
    'Sessions that this sidecar may have now, floor included.',
    ({ most }) => most,
  );
  gauge(
    'holdfast_connection_budget_floor',
    'Sessions that it keeps without the controller.',
    ({ floor }) => floor,
  );
  gauge(
    'holdfast_connection_budget_sessions',
    'Sessions that the server may count of it.',
    ({ sessions }) => sessions,
  );
  gauge(
    'holdfast_connection_budget_demand',
    'Sessions that it could use: in use and waited for.',
    ({ demand }) => demand,
  );
  const counter = (name: string, help: string): Counter<'budget'> =>
    new Counter({ name, help, labelNames, registers });
  const refusals = counter(
    'holdfast_connection_budget_refusals_total',
    'Sessions that the server refused although the share allowed them (SQLSTATE 53300).',
  );
  const cuts = counter(
    'holdfast_connection_budget_cut_total',
    'Sessions in use that were cut at the end of a share.',
  );
  const grants = counter(
    'holdfast_connection_budget_grants_total',
    'Grants that were put in force.',
  );
  return (budget) => {
    const [refusalsOf, cutsOf, grantsOf] = [refusals, cuts, grants].map((each) =>
      each.labels({ budget }),
    );
    for (const each of [refusalsOf, cutsOf, grantsOf]) each?.inc(0);
    return {
      refused: () => refusalsOf?.inc(),
      cut: () => cutsOf?.inc(),
      granted: () => grantsOf?.inc(),
    };
  };
}

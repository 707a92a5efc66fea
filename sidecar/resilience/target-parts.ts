import type { Deadlines } from '../../platform/deadlines.ts';
import type { Reason } from '../../platform/errors.ts';
import type { GateParts, GateSettings } from './gate.ts';
import type { RetrySettings } from './retry.ts';
import type { RetryBudgetSettings } from './retry-budget.ts';

export type TargetKind = 'Postgres' | 'Redis' | 'Upstream' | 'Guard';

/** All that a policy says of one target. */
export interface TargetSettings extends GateSettings {
  /** Of a call with all its tries, and of one try; 0 is no limit of a try. */
  readonly timeout?: { readonly totalMs: number; readonly perTryMs: number } | undefined;
  readonly retry?: (RetrySettings & { readonly budget: RetryBudgetSettings }) | undefined;
}

/** What a target tells of itself. */
export interface TargetEvents {
  readonly onBreaker: GateParts['onBreaker'];
  /** A call is tried once more. */
  readonly onRetry: () => void;
  /** A try was refused. */
  readonly onRefused: (reason: Reason) => void;
  /** A policy in shadow mode would have refused it, or let it run out of time. */
  readonly onShadowRefused: (reason: Reason) => void;
  readonly onShadowRetry: () => void;
}

export interface TargetParts extends Omit<GateParts, 'onBreaker' | 'target'>, TargetEvents {
  readonly kind: TargetKind;
  readonly name: string;
  readonly random: () => number;
  readonly deadlines: Deadlines;
}

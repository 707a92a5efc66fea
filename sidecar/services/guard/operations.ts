import type { CallOutcome } from '../../../platform/gen/holdfast/v1/CallOutcome.ts';
import type { Exited } from '../../../platform/gen/holdfast/v1/Exited.ts';
import type { EnterRequest__Output } from '../../../platform/gen/holdfast/v1/EnterRequest.ts';
import type { ExitRequest__Output } from '../../../platform/gen/holdfast/v1/ExitRequest.ts';
import type { Permit } from '../../../platform/gen/holdfast/v1/Permit.ts';
import type { Operation, OperationTable } from '../../grpc/operation.ts';
import { unitsOf } from '../../resilience/cost-ledger.ts';
import { amountOf, checkedMs, checkedText, invalidRequest } from '../../resilience/cost-request.ts';
import type { Cost } from '../../resilience/gate.ts';
import type { Outcome } from '../../resilience/outcome.ts';
import type { Target } from '../../resilience/target.ts';
import type { TargetSettings } from '../../resilience/target-parts.ts';
import type { Targets } from '../../resilience/targets.ts';
import type { Permits } from './permits.ts';

const mostLeaseMs = 3_600_000;
/** Of permits that no session ends. */
const defaultLeaseMs = 60_000;
/** A reservation lives longer than its permit, whose end is told with what the call did cost. */
const settleMs = 5_000;

/** Everything of service Guard. */
export function guardOperations(targets: Targets, permits: Permits): Pick<OperationTable, 'unary'> {
  const enter: Operation<EnterRequest__Output, Permit> = {
    name: 'Guard.Enter',
    frame: 'enter',
    target: ({ target }) => targets.label('Guard', target),
    handle: async (request, call) => {
      const { scope } = call;
      const target = targets.named('Guard', request.target);
      const asked = checkedMs('lease_ms', request.leaseMs, mostLeaseMs);
      const leaseMs = asked === 0 && scope.outlivesCall !== true ? defaultLeaseMs : asked;
      const cost = costOf(request, target, leaseMs);
      const timeoutMs = timeoutOf(target.settings);
      const entry = await permits.holdPlace(target.name, () => target.enter(call, cost));
      return { permitId: permits.open(target.name, entry, scope, leaseMs), leaseMs, timeoutMs };
    },
  };

  const exit: Operation<ExitRequest__Output, Exited> = {
    name: 'Guard.Exit',
    frame: 'exit',
    exempt: true,
    uncancellable: true,
    target: ({ permitId }) => permits.targetOf(permitId) ?? 'unknown',
    handle: async ({ permitId, outcome, cost }) => {
      const said = outcomes[outcome];
      if (said === undefined) throw invalidRequest('outcome is missing');
      const actual = amountOf('cost', cost);
      return { overshoot: unitsOf(await permits.exit(permitId, said, actual)) };
    },
  };

  return { unary: [enter, exit] };
}

const outcomes: Readonly<Record<keyof typeof CallOutcome, Outcome | undefined>> = {
  CALL_OUTCOME_UNSPECIFIED: undefined,
  CALL_OUTCOME_SUCCESS: 'success',
  CALL_OUTCOME_FAILURE: 'failure',
  CALL_OUTCOME_THROTTLED: 'throttled',
  CALL_OUTCOME_DROPPED: 'dropped',
};

function costOf(
  { cost, costKey }: EnterRequest__Output,
  { name, ledger }: Target,
  leaseMs: number,
): Cost | undefined {
  const amount = amountOf('cost', cost);
  const key = checkedText('cost_key', costKey);
  if (ledger === undefined) {
    if (amount === undefined && key === '') return undefined;
    throw invalidRequest(`cost and cost_key need a target with a cost budget: "${name}" has none`);
  }
  return { key, amount, ttlMs: leaseMs === 0 ? undefined : leaseMs + settleMs };
}

/** The shorter one of the whole call's time and a try's: a guarded call is one try. 0 for no limit. */
function timeoutOf({ timeout }: TargetSettings): number {
  const limits = [timeout?.totalMs, timeout?.perTryMs].filter((each) => (each ?? 0) > 0);
  return limits.length === 0 ? 0 : Math.min(...(limits as number[]));
}

import type { InspectPoliciesRequest__Output } from '../../../platform/gen/holdfast/v1/InspectPoliciesRequest.ts';
import type { PolicyState } from '../../../platform/gen/holdfast/v1/PolicyState.ts';
import type { TargetState } from '../../../platform/gen/holdfast/v1/TargetState.ts';
import type { Operation, OperationTable } from '../../grpc/operation.ts';
import type { LivePolicy } from '../../policies/live-policy.ts';
import type { Target } from '../../resilience/target.ts';

/** The way to the controller; `app.ts` fills it. */
export interface ControllerReading {
  readonly connectedTo: string;
  readonly fault: string;
}

/** Everything of service Policies. `targets` is asked at each call; `controller` is where policies come from, if it is not a file. */
export function policyOperations(
  policy: LivePolicy,
  targets: () => readonly Target[],
  controller: ControllerReading | undefined,
): Pick<OperationTable, 'unary'> {
  const inspect: Operation<InspectPoliciesRequest__Output, PolicyState> = {
    name: 'Policies.Inspect',
    target: () => 'policies',
    handle: () =>
      Promise.resolve({
        version: policy.version,
        digest: policy.digest,
        appliedMsAgo: Math.round(policy.appliedMsAgo),
        faults: [...policy.faults],
        restartRequired: [...policy.restartRequired],
        targets: targets().map(stateOf),
        source: policy.source,
        controller:
          controller === undefined
            ? null
            : { connectedTo: controller.connectedTo, fault: controller.fault },
      }),
  };
  return { unary: [inspect] };
}

const stateOf = ({ kind, name, gate, isShadowed }: Target): TargetState => ({
  kind,
  name,
  breaker: gate.breakerState ?? '',
  inFlight: gate.inFlight,
  waiting: gate.waiting,
  limit: gate.limit === Infinity ? 0 : gate.limit,
  shadowed: isShadowed,
});

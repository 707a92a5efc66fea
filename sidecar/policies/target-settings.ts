import type { ResiliencePolicy, TargetPolicy } from '../../crds/resilience-policy.ts';
import type { ErrorKind } from '../../platform/errors.ts';
import { microsOf } from '../resilience/cost-ledger.ts';
import type { TargetPolicySettings } from '../resilience/targets.ts';

type Mode = ResiliencePolicy['spec']['mode'];

/** What the policies of one mode say of targets, as the engine takes it. */
export const targetsOf = (
  policies: readonly ResiliencePolicy[],
  mode: Mode,
): readonly TargetPolicySettings[] =>
  policies
    .filter(({ spec }) => spec.mode === mode)
    .flatMap(({ spec }) => spec.targets.map(targetSettings));

const kinds: Readonly<
  Record<NonNullable<TargetPolicy['retry']>['causes'][number], readonly ErrorKind[]>
> = {
  Unavailable: ['unavailable', 'unknown-outcome'],
  ServerError: ['internal'],
  Timeout: ['deadline'],
  Throttled: ['exhausted'],
  Conflict: ['conflict'],
};

function targetSettings(policy: TargetPolicy): TargetPolicySettings {
  const { kind, name, timeout, retry, breaker, concurrency, rate, cost, priorities } = policy;
  const shareOf = (priority: 'Normal' | 'Low'): number =>
    priorities.find((each) => each.priority === priority)?.share ?? 1;
  return {
    kind,
    name,
    timeout,
    breaker,
    retry: retry && { ...retry, on: retry.causes.flatMap((cause) => kinds[cause]) },
    concurrency: concurrency && {
      max: concurrency.max,
      queue: concurrency.queue,
      queueTimeoutMs: concurrency.queueTimeoutMs,
      fifo: concurrency.order === 'Fifo',
      shares: { normal: shareOf('Normal'), low: shareOf('Low') },
      ...(concurrency.adaptive === undefined
        ? {}
        : { adaptive: { ...concurrency.adaptive, max: concurrency.max } }),
    },
    rate: rate && {
      perSecond: rate.perSecond,
      burst: rate.burst === 0 ? Math.max(1, Math.floor(rate.perSecond)) : rate.burst,
    },
    cost: cost && {
      limit: microsOf(cost.limit),
      windowMs: cost.windowMs,
      warnAt: cost.warnAt,
      estimate: microsOf(cost.estimate),
      reservationMs: cost.reservationMs,
      database: cost.scope === 'Fleet' ? cost.database : undefined,
    },
  };
}

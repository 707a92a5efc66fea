import type { PolicySpec } from '../../crds/resilience-policy.ts';

/** A policy as rules and dashboards are made of it. */
export interface ObservedPolicy {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly spec: PolicySpec;
}

/** A group of rules as Prometheus takes it. */
export interface RuleGroup {
  readonly name: string;
  readonly rules: readonly {
    readonly alert: string;
    readonly expr: string;
    readonly for: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly annotations: Readonly<Record<string, string>>;
  }[];
}

const defaultNotProgrammedMs = 300_000;

/** Alert rules of a policy; none when its alerts are switched off. */
export function ruleGroups({ namespace, name, spec }: ObservedPolicy): readonly RuleGroup[] {
  if (spec.alerts?.enabled === false) return [];
  const of = (state: string): string =>
    `max(holdfast_controller_policy_pods{namespace="${namespace}",policy="${name}",state="${state}"})`;
  const notProgrammedMs = spec.alerts?.notProgrammedMs ?? defaultNotProgrammedMs;
  return [
    {
      name: `holdfast/${namespace}/${name}`,
      rules: [
        {
          alert: 'HoldfastPolicyNotProgrammed',
          expr: `${of('connected')} - ${of('programmed')} > 0`,
          for: `${Math.ceil(notProgrammedMs / 1_000)}s`,
          labels: { severity: 'warning', namespace, policy: name },
          annotations: {
            summary: `Pods do not follow the policy ${namespace}/${name}`,
            description: `{{ $value }} connected pods have not taken over the newest generation; \`kubectl -n ${namespace} describe rp ${name}\` says which, and why.`,
          },
        },
      ],
    },
  ];
}

import type { ObservedPolicy } from './rule-groups.ts';

/** A dashboard by the name of its file, as Grafana takes it. */
export interface Dashboard {
  readonly file: string;
  readonly content: object;
}

/** Dashboards of a policy. */
export function dashboards({ namespace, name, uid }: ObservedPolicy): readonly Dashboard[] {
  const expr = `max by (state) (holdfast_controller_policy_pods{namespace="${namespace}",policy="${name}"})`;
  return [
    {
      file: 'policy.json',
      content: {
        uid: `holdfast-${uid}`.slice(0, 40),
        title: `Holdfast / ${namespace} / ${name}`,
        tags: ['holdfast'],
        schemaVersion: 39,
        refresh: '10s',
        time: { from: 'now-1h', to: 'now' },
        panels: [
          {
            id: 1,
            type: 'timeseries',
            title: 'Pods by how far they follow the policy',
            gridPos: { x: 0, y: 0, w: 24, h: 8 },
            targets: [{ refId: 'A', expr, legendFormat: '{{state}}' }],
          },
        ],
      },
    },
  ];
}

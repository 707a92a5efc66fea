import { z } from 'zod';
import { conditionList, text, whole } from './status-fields.ts';

/** The kinds of conditions that a policy has. */
export const conditionTypes = ['Accepted', 'Programmed', 'Conflicted', 'Degraded'] as const;

/** Most pods that a list of the status names. */
export const mostPodsNamed = 16;

/** What the controller says of a policy; nobody else writes it. */
export const policyStatusSchema = z
  .object({
    observedGeneration: whole('Generation of the policy that all of this was said of.').optional(),
    conditions: conditionList(
      'Accepted: it is valid and in conflict with no other. Programmed: every selected pod that is connected has this generation in force. Conflicted: an older policy names the same thing. Degraded: some pods refuse it or need a restart, or its budget is gone.',
    ),
    pods: z
      .object({
        selected: whole('Pods that the selector matches and that have a sidecar.'),
        connected: whole('Of these: their sidecars are connected to the controller.'),
        programmed: whole('Of these: they have said that this generation is in force.'),
        rejecting: whole('Of these: they have refused it.'),
        restartRequired: whole(
          'Of those that have it in force: they take a part of it only when they start again.',
        ).optional(),
      })
      .meta({ description: 'How many pods are how far.' })
      .optional(),
    rejections: z
      .array(
        z.object({
          pod: text(253, 'Name of the pod.'),
          reason: text(128, 'Why, in one word for programs.'),
          message: text(1_024, 'Why, for people.'),
        }),
      )
      .max(mostPodsNamed)
      .optional()
      .meta({
        description: 'The first pods that refused it, and why.',
        'x-kubernetes-list-type': 'atomic',
      }),
    restarts: z
      .array(
        z.object({
          pod: text(253, 'Name of the pod.'),
          message: text(1_024, 'What it takes only when it starts again.'),
        }),
      )
      .max(mostPodsNamed)
      .optional()
      .meta({
        description: 'The first pods that need a restart to follow all of it, and why.',
        'x-kubernetes-list-type': 'atomic',
      }),
  })
  .meta({ description: 'What the controller says of the policy. Nobody else writes it.' });

export type PolicyStatus = Readonly<z.output<typeof policyStatusSchema>>;

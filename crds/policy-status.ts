import { z } from 'zod';

const whole = (description: string) => z.int().min(0).max(2_000_000_000).describe(description);
const text = (max: number, description: string) => z.string().max(max).describe(description);

/** The kinds of conditions that a policy has. */
export const conditionTypes = ['Accepted', 'Programmed', 'Conflicted', 'Degraded'] as const;

/** As metav1.Condition has it. */
const condition = z.object({
  type: z
    .string()
    .max(316)
    .regex(/^[A-Za-z]([A-Za-z0-9_-]*[A-Za-z0-9])?$/)
    .describe(
      'Accepted: it is valid and in conflict with no other. Programmed: every selected pod that is connected has this generation in force. Conflicted: an older policy names the same thing. Degraded: some pods refuse it or need a restart.',
    ),
  status: z.enum(['True', 'False', 'Unknown']).describe('Whether it is so.'),
  observedGeneration: whole('Generation of the policy that this was said of.').optional(),
  lastTransitionTime: z
    .string()
    .max(40)
    .meta({ description: 'When `status` changed last.', format: 'date-time' }),
  reason: z
    .string()
    .min(1)
    .max(1_024)
    .regex(/^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$/)
    .describe('Why, in one word for programs.'),
  message: text(32_768, 'Why, for people.'),
});

/** What the controller says of a policy; nobody else writes it. */
export const policyStatusSchema = z
  .object({
    observedGeneration: whole('Generation of the policy that all of this was said of.').optional(),
    conditions: z
      .array(condition)
      .max(16)
      .optional()
      .meta({
        description: 'What is the case, by type.',
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': ['type'],
      }),
    pods: z
      .object({
        selected: whole('Pods that the selector matches and that have a sidecar.'),
        connected: whole('Of these: their sidecars are connected to the controller.'),
        programmed: whole('Of these: they have said that this generation is in force.'),
        rejecting: whole('Of these: they have refused it.'),
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
      .max(16)
      .optional()
      .meta({
        description: 'The first pods that refused it, and why.',
        'x-kubernetes-list-type': 'atomic',
      }),
  })
  .meta({ description: 'Not used yet: what the controller says of the policy.' });

export type PolicyStatus = Readonly<z.output<typeof policyStatusSchema>>;

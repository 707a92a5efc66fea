import { z } from 'zod';

/** A whole number that the controller counts. */
export const whole = (description: string) =>
  z.int().min(0).max(2_000_000_000).describe(description);

/** Text of the controller. */
export const text = (max: number, description: string) => z.string().max(max).describe(description);

/** Conditions as metav1.Condition has them; `types` says what each of them means. */
export const conditionList = (types: string) =>
  z
    .array(
      z.object({
        type: z
          .string()
          .max(316)
          .regex(/^[A-Za-z]([A-Za-z0-9_-]*[A-Za-z0-9])?$/)
          .describe(types),
        status: z.enum(['True', 'False', 'Unknown']).describe('Whether it is so.'),
        observedGeneration: whole('Generation of the object that this was said of.').optional(),
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
      }),
    )
    .max(16)
    .optional()
    .meta({
      description: 'What is the case, by type.',
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['type'],
    });

/** A condition of a policy or a budget. */
export type Condition = NonNullable<z.output<ReturnType<typeof conditionList>>>[number];

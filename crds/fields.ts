import { z } from 'zod';
import { type CrossFieldRule, withRules } from './cross-field-rules.ts';

const day = 86_400_000;

/** Milliseconds, 1 to a day unless `min` and `max` say otherwise. */
export const durationMs = (
  defaultMs: number,
  description: string,
  { min = 1, max = day }: { readonly min?: number; readonly max?: number } = {},
) => z.int().min(min).max(max).default(defaultMs).describe(`${description} In ms.`);

/** A whole number with its range. */
export const count = (
  defaultCount: number,
  range: { readonly min: number; readonly max: number },
  description: string,
) => z.int().min(range.min).max(range.max).default(defaultCount).describe(description);

/** A part of a whole, 0 to 1 unless `min` says otherwise. */
export const share = (
  defaultShare: number,
  description: string,
  { min = 0 }: { readonly min?: number } = {},
) => z.number().min(min).max(1).default(defaultShare).describe(description);

/** What a caller writes in the field `pool` of a request. */
export const dnsLabel = (description: string) =>
  z
    .string()
    .max(63)
    .regex(
      /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/,
      'must be a DNS label: lower-case letters, digits and `-`, beginning and ending with a letter or digit',
    )
    .describe(description);

/** The name of an object of Kubernetes; `whose` is what it is called in a fault. */
export const objectName = (whose: string, description: string) =>
  z
    .string()
    .max(253)
    .regex(
      /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/,
      `must be ${whose} name: lower-case letters, digits, \`-\` and \`.\``,
    )
    .describe(description);

/** The value of a label of Kubernetes. */
export const labelValue = z
  .string()
  .max(63)
  .regex(
    /^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$/,
    'must be a label value: letters, digits, `-`, `_` and `.`, beginning and ending with a letter or digit',
  );

/** A key of a Secret. Both parts become parts of a path, so neither may climb: no `..` and no `/`. */
export const secretRef = (defaultKey: string, description: string) =>
  z
    .object({
      name: objectName("a Secret's", "Name of a Secret in the policy's own namespace."),
      key: z
        .string()
        .max(253)
        .regex(
          /^\.?[-_a-zA-Z0-9][-._a-zA-Z0-9]*$/,
          "must be a Secret's key: letters, digits, `-`, `_` and `.`",
        )
        .default(defaultKey)
        .describe('Which key of the Secret holds it.'),
    })
    .meta({ description });

const tlsFields = z.object({
  mode: z
    .enum(['Disable', 'Require', 'VerifyFull'])
    .default('VerifyFull')
    .describe(
      "Disable: plain text. Require: encrypted, but the server may be anybody. VerifyFull: encrypted, and the server's certificate is checked against its host name.",
    ),
  caSecretRef: secretRef(
    'ca.crt',
    "PEM certificates of the authorities to believe. Without it: those of the sidecar's image.",
  ).optional(),
});

export const tlsRules: readonly CrossFieldRule<z.output<typeof tlsFields>>[] = [
  {
    field: 'caSecretRef',
    holds: ({ mode, caSecretRef }) => caSecretRef === undefined || mode === 'VerifyFull',
    fault: ({ mode }) => `needs mode VerifyFull (mode is ${mode}, which checks no certificate)`,
    cel: {
      rule: "!has(self.caSecretRef) || self.mode == 'VerifyFull'",
      message: 'caSecretRef needs mode VerifyFull',
    },
  },
];

/** How the connection is protected. Absent: as the URL says. */
export const tls = withRules(
  tlsFields,
  'How connections are protected. Without it the URL decides. When both speak they must agree.',
  tlsRules,
);

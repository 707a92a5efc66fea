import { z } from 'zod';
import { type CrossFieldRule, listBy, withRules } from './cross-field-rules.ts';
import { count, dnsLabel, durationMs, secretRef, tls } from './fields.ts';

const mebibyte = 1024 * 1024;

const headerFields = z.object({
  name: z
    .string()
    .max(100)
    .regex(/^[a-z0-9][-_a-z0-9]*$/, 'must be the name of a header in lower case')
    .describe('Name of the header, in lower case.'),
  value: z
    .string()
    .max(4_096)
    .regex(/^[\t -~]*$/, 'must be printable ASCII')
    .default('')
    .describe('What it says; with `secretRef`, what stands before the secret, such as `Bearer `.'),
  secretRef: secretRef('token', 'A secret that follows `value`; callers never see it.').optional(),
});

/** Headers that belong to one connection, or that HTTP itself writes. */
export const ownHeaders = [
  'connection',
  'content-length',
  'expect',
  'host',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
] as const;

export const headerRules: readonly CrossFieldRule<z.output<typeof headerFields>>[] = [
  {
    field: 'name',
    holds: ({ name }) => !(ownHeaders as readonly string[]).includes(name),
    fault: ({ name }) => `must be another header than ${name}, which the connection itself decides`,
    cel: {
      rule: ownHeaders.map((name) => `self.name != '${name}'`).join(' && '),
      message: 'name must be another header, this one is decided by the connection itself',
    },
  },
  {
    field: 'value',
    holds: ({ value, secretRef }) => value !== '' || secretRef !== undefined,
    fault: () => 'is required without secretRef',
    cel: {
      rule: "self.value != '' || has(self.secretRef)",
      message: 'value is required without secretRef',
    },
  },
];

const upstreamFields = z.object({
  baseUrl: z
    .string()
    .max(2_048)
    .regex(
      /^https?:\/\/[-A-Za-z0-9._~]+(:[0-9]{1,5})?(\/[-A-Za-z0-9._~%!$&'()*+,;=:@/]*)?$/,
      'must be an http:// or https:// URL without user, query and fragment',
    )
    .describe(
      'What the path of each call is added to: `https://api.example.com/v1`. Callers cannot leave it.',
    ),
  headers: listBy(
    ['name'],
    withRules(headerFields, 'A header of every call. The caller cannot replace it.', headerRules),
    32,
    'Headers that the sidecar adds to every call.',
  ),
  http2: z
    .boolean()
    .default(true)
    .describe('Whether HTTP/2 is used with https:// when the server offers it; else HTTP/1.1.'),
  maxConnections: count(32, { min: 1, max: 10_000 }, 'Most connections to it, of each pod.'),
  connectTimeoutMs: durationMs(5_000, 'Longest time to connect, TLS included.', { max: 600_000 }),
  idleTimeoutMs: durationMs(
    60_000,
    'An answer whose next bytes do not come for so long fails; server-sent events have to send a comment now and then.',
  ),
  maxResponseBytes: count(
    16 * mebibyte,
    { min: 1024, max: 64 * mebibyte },
    'Most bytes of an answer to Call; a larger one fails with RESULT_TOO_LARGE. Stream has no such limit.',
  ),
  tls: tls.optional(),
});

export const upstreamRules: readonly CrossFieldRule<z.output<typeof upstreamFields>>[] = [
  {
    field: 'tls',
    holds: ({ baseUrl, tls }) =>
      tls === undefined || baseUrl.startsWith('https://') === (tls.mode !== 'Disable'),
    fault: ({ tls }) =>
      tls?.mode === 'Disable'
        ? 'must not have mode Disable with an https:// URL'
        : 'needs an https:// URL',
    cel: {
      rule: "!has(self.tls) || self.baseUrl.startsWith('https://') == (self.tls.mode != 'Disable')",
      message: 'tls must agree with the scheme of baseUrl: https:// unless mode is Disable',
    },
  },
];

/** An HTTP server. */
export const upstream = withRules(
  upstreamFields,
  'Where the HTTP server is, and how it is called. Required for kind Upstream.',
  upstreamRules,
);

const fallbackFields = z.object({
  static: z
    .object({
      status: count(200, { min: 200, max: 599 }, 'HTTP status.'),
      contentType: z
        .string()
        .max(255)
        .regex(/^[\t -~]*$/, 'must be printable ASCII')
        .default('application/json')
        .describe('Its content-type.'),
      body: z.string().max(65_536).default('').describe('Its body.'),
    })
    .meta({ description: 'Always the same answer.' })
    .optional(),
  stale: z
    .object({
      maxAgeMs: durationMs(300_000, 'Oldest answer that is given.'),
      maxEntries: count(
        1_000,
        { min: 1, max: 100_000 },
        'Answers that are kept, in memory, the last used ones.',
      ),
      maxBytes: count(
        16 * mebibyte,
        { min: 1024, max: 256 * mebibyte },
        'Bytes of all answers that are kept.',
      ),
    })
    .meta({
      description:
        'The last successful answer to the same request (GET and HEAD, same path and same headers of the caller).',
    })
    .optional(),
  upstream: z
    .object({ name: dnsLabel('Another target of kind Upstream, of the same policy.') })
    .meta({
      description:
        'The answer of another upstream to the same request, if that may run twice or did not run; its own policy applies, its fallback does not.',
    })
    .optional(),
});

export const fallbackRules: readonly CrossFieldRule<z.output<typeof fallbackFields>>[] = [
  {
    field: 'static',
    holds: (value) =>
      [value.static, value.stale, value.upstream].filter((each) => each !== undefined).length === 1,
    fault: () => 'or stale or upstream is required, and only one of them',
    cel: {
      rule: '(has(self.static) ? 1 : 0) + (has(self.stale) ? 1 : 0) + (has(self.upstream) ? 1 : 0) == 1',
      message: 'static or stale or upstream is required, and only one of them',
    },
  },
];

/** What is answered when the call failed. */
export const fallback = withRules(
  fallbackFields,
  'What the caller gets when the call failed after all tries, or was refused: its target is unavailable, too slow, throttled or at its limit. The answer says that it is one (`fallback`).',
  fallbackRules,
);

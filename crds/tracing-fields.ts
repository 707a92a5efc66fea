import { z } from 'zod';
import { dnsLabel, durationMs, share } from './fields.ts';

const day = 86_400_000;

/** Which calls are traced, and where their spans go. */
export const tracing = z
  .object({
    sampleRatio: share(
      0.1,
      'Share of traces that begin here and are kept. Those that a caller has begun are kept as the caller says; errors and slow spans always are.',
    ),
    slowSpanMs: durationMs(500, 'A span that took longer counts as slow.'),
    storeIn: z
      .object({
        database: dnsLabel(
          'The PostgreSQL pool of the database that keeps them, in `holdfast.trace_spans`.',
        ).default('default'),
        retentionMs: durationMs(7 * day, 'How long they are kept.', {
          min: 3_600_000,
          max: 90 * day,
        }),
      })
      .meta({ description: 'Keeps spans in a database too. Without it they are only exported.' })
      .optional(),
    sqlComments: z
      .boolean()
      .default(false)
      .describe(
        "Whether statements carry the trace in a comment, for the database's own logs; each is another text then, so prepared statements are not shared.",
      ),
  })
  .meta({ description: 'Not used yet: which calls are traced, and where their spans go.' });

import { z } from 'zod';
import { dnsLabel, durationMs, share } from './fields.ts';

const month = 31 * 86_400_000;

/** Budgets count in millionths, in whole numbers: up to here all of them are exact. */
const mostUnits = 2_000_000_000;

export const cost = z
  .object({
    limit: z
      .number()
      .min(0.000001)
      .max(mostUnits)
      .describe(
        'Most that may be spent and put aside in each window, for each key that callers give; in units of your choice, to six decimals.',
      ),
    windowMs: durationMs(
      86_400_000,
      'Length of a window. Windows begin at multiples of it since 1970, so one of a day begins at midnight UTC.',
      { min: 1_000, max: month },
    ),
    scope: z
      .enum(['Pod', 'Fleet'])
      .default('Pod')
      .describe(
        'Pod: each pod has the limit for itself, in memory. Fleet: all pods have it together, in schema `holdfast` of `database`, where it survives any crash; without that database the calls fail.',
      ),
    database: dnsLabel(
      'With scope Fleet: the PostgreSQL pool of the database that keeps it.',
    ).default('default'),
    estimate: z
      .number()
      .min(0)
      .max(mostUnits)
      .default(1)
      .describe('What a try is charged whose caller says nothing.'),
    reservationMs: durationMs(
      60_000,
      'What was put aside for a call that nobody settles is charged in full after so long.',
      { min: 100 },
    ),
    warnAt: share(0.8, 'Share of the limit from which on spending is reported.'),
  })
  .meta({
    description:
      'How much calls may spend (money, tokens, points): what one will cost at most is put aside before it starts, and what it did cost is settled after it. Beyond the limit calls fail with COST_BUDGET_EXCEEDED.',
  });

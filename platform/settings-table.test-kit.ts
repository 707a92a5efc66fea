import type { z } from 'zod';
import type { About } from './setting-fields.ts';

/** The table of variables as a page of settings has it. */
export const settingsTable = (
  variables: z.ZodObject<Readonly<Record<string, z.ZodType>>>,
): string =>
  [
    '| variable | meaning | default |',
    '|---|---|---|',
    ...Object.entries(variables.shape).map(([name, schema]) => {
      const about = schema.meta() as unknown as About & { readonly default?: string };
      const shown = about.default === undefined ? `${about.without}` : `\`${about.default}\``;
      return `| \`${name}\` | ${about.description} | ${shown} |`;
    }),
  ].join('\n');

import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { variablesSchema } from './variables.ts';

interface About {
  readonly description: string;
  readonly default?: string;
  readonly without?: string;
}

const table = [
  '| variable | meaning | default |',
  '|---|---|---|',
  ...Object.entries(variablesSchema.shape).map(([name, schema]) => {
    const about = schema.meta() as unknown as About;
    const shown = about.default === undefined ? `${about.without}` : `\`${about.default}\``;
    return `| \`${name}\` | ${about.description} | ${shown} |`;
  }),
].join('\n');

test('docs/controller-settings.md has the table that the schema gives', () => {
  const page = readFileSync(new URL('../docs/controller-settings.md', import.meta.url), 'utf8');
  expect(page).toContain(`\n${table}\n`);
});

test('every variable is described, and says what holds without it', () => {
  expect(table).not.toContain('undefined');
});

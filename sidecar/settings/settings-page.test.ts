import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { settingsTable } from '../../platform/settings-table.test-kit.ts';
import { variablesSchema } from './variables.ts';

const table = settingsTable(variablesSchema);

test('docs/settings.md has the table that the schema gives', () => {
  const page = readFileSync(new URL('../../docs/settings.md', import.meta.url), 'utf8');
  expect(page).toContain(`\n${table}\n`);
});

test('every variable is described, and says what holds without it', () => {
  expect(table).not.toContain('undefined');
});

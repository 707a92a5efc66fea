import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { readPolicyFile } from './policy-file.ts';
import { policyPage } from './policy-page.ts';
import { specFields } from './schema-walk.test-kit.ts';

const page = policyPage();

test('the committed page is what the schema gives', () => {
  expect(readFileSync(new URL('../docs/policy.md', import.meta.url), 'utf8')).toBe(page);
});

test('the page has every field once, with its description', () => {
  const rows = page.split('\n').filter((line) => line.startsWith('| `'));
  const named = specFields().filter(({ path }) => path !== 'spec' && !/(\[\]|\{\})$/.test(path));
  const described = (text: unknown): number =>
    rows.filter((line) => line.endsWith(`| ${String(text).replaceAll('|', '\\|')} |`)).length;
  expect(rows).toHaveLength(named.length);
  expect(named.filter(({ schema }) => described(schema['description']) === 0)).toEqual([]);
});

test('its first policy is a good one', () => {
  const [, yaml = ''] = /```yaml\n(.+?)```/s.exec(page) ?? [];
  expect(readPolicyFile(yaml, 'first.yaml')[0]?.spec.targets[0]).toMatchObject({
    kind: 'Postgres',
    breaker: { failureRate: 0.5, openMs: 5_000 },
  });
});

import { readFileSync, readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { parseBudget } from './connection-budget.ts';
import { readPolicyFile } from './policy-file.ts';

const folder = new URL('../examples/policies/', import.meta.url);
const files = readdirSync(folder);

test('there are examples', () => {
  expect(files).toEqual(expect.arrayContaining(['default.yaml', 'llm-api.yaml']));
});

test.each(files)('%s is a good policy, called like its file', (file) => {
  const policies = readPolicyFile(readFileSync(new URL(file, folder), 'utf8'), file);
  expect(policies.map(({ metadata }) => `${metadata.name}.yaml`)).toEqual([file]);
});

test('the policy and the budget of the shop on Kubernetes are good', () => {
  const text = (name: string): string =>
    readFileSync(new URL(`../kubernetes/${name}`, folder), 'utf8');
  expect(readPolicyFile(text('policy.yaml'), 'policy.yaml')).toHaveLength(1);
  expect(parseBudget(parse(text('budget.yaml')))).toHaveProperty('budget');
});

import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { budgetDefinitionYaml } from './budget-definition.ts';
import { policyDefinitionYaml } from './custom-resource-definition.ts';
import {
  type Field,
  budgetFields,
  budgetStatusFields,
  specFields,
  statusFields,
} from './schema-walk.test-kit.ts';
import { policySpecSchema } from './resilience-policy.ts';

const folder = new URL('.', import.meta.url);

const fields = [...specFields(), ...budgetFields()];
const ofType = (...types: string[]): Field[] =>
  fields.filter(({ schema }) => types.includes(String(schema.type)));
const paths = (found: readonly Field[]): string[] => found.map(({ path }) => path);

test.each([
  ['resilience-policy.yaml', policyDefinitionYaml()],
  ['connection-budget.yaml', budgetDefinitionYaml()],
])('the committed %s is what the schema gives', (file, yaml) => {
  expect(readFileSync(new URL(file, folder), 'utf8')).toBe(yaml);
});

describe('the schema is structural', () => {
  test('it has all the fields one would think of', () => {
    expect(paths(fields)).toContain('spec.postgres[].pool.min');
    expect(fields.length).toBeGreaterThan(40);
  });

  test('every part has a type', () => {
    expect(paths(fields.filter(({ schema }) => schema.type === undefined))).toEqual([]);
  });

  test('it uses no keyword that the API server refuses', () => {
    const refused =
      /^(\$ref|\$schema|const|oneOf|anyOf|allOf|not|propertyNames|definitions|patternProperties|dependencies|uniqueItems)$/;
    expect(
      fields.flatMap(({ path, schema }) =>
        Object.entries(schema)
          .filter(([keyword, value]) => refused.test(keyword) || isNumericExclusive(keyword, value))
          .map(([keyword]) => `${path}: ${keyword}`),
      ),
    ).toEqual([]);
  });

  test('nothing has additionalProperties beside properties', () => {
    const both = fields.filter(
      ({ schema }) => schema.properties !== undefined && 'additionalProperties' in schema,
    );
    expect(paths(both)).toEqual([]);
  });

  test('every number has a range on both sides, and ends where timers do', () => {
    const open = ofType('integer', 'number').filter(
      ({ schema }) => !(Number(schema['minimum']) >= 0 && Number(schema['maximum']) < 2 ** 31),
    );
    // Reckoned with, and never given to a timer.
    expect(paths(open)).toEqual([
      'spec.targets[].cost.windowMs',
      'spec.tracing.storeIn.retentionMs',
    ]);
  });

  test('every text, list and record has a largest size, for the cost of its rules', () => {
    const open = fields.filter(({ schema }) => {
      if (schema.type === 'string') return (schema['maxLength'] ?? schema['enum']) === undefined;
      if (schema.type === 'array') return schema['maxItems'] === undefined;
      return schema.additionalProperties !== undefined && schema['maxProperties'] === undefined;
    });
    expect(paths(open)).toEqual([]);
  });

  test('every field is described', () => {
    const named = [...fields, ...statusFields(), ...budgetStatusFields()].filter(
      ({ path }) => path !== 'spec' && !/(\[\]|\{\})$/.test(path),
    );
    expect(paths(named.filter(({ schema }) => schema['description'] === undefined))).toEqual([]);
  });

  test('every field is required, or has a default, or is a block that may be absent', () => {
    const open = fields.flatMap(({ path, schema }) =>
      Object.entries(schema.properties ?? {})
        .filter(
          ([key, inner]) =>
            !(schema.required ?? []).includes(key) &&
            inner['default'] === undefined &&
            inner.type !== 'object',
        )
        .map(([key]) => `${path}.${key}`),
    );
    expect(open).toEqual([]);
  });

  test('keys of list maps are required', () => {
    const maps = fields.filter(({ schema }) => schema['x-kubernetes-list-type'] === 'map');
    expect(maps.length).toBeGreaterThan(4);
    for (const { schema } of maps) {
      expect(schema.items?.required).toEqual(
        expect.arrayContaining(schema['x-kubernetes-list-map-keys'] as string[]),
      );
    }
  });

  test('patterns are anchored and within RE2', () => {
    const patterns = fields.flatMap(({ schema }) =>
      typeof schema['pattern'] === 'string' ? [schema['pattern']] : [],
    );
    expect(patterns).not.toEqual([]);
    for (const pattern of patterns) {
      expect(pattern).toMatch(/^\^.*\$$/);
      expect(pattern).not.toMatch(/\(\?[=!<]|\\[1-9]/);
    }
  });

  test('the defaults alone are a valid policy', () => {
    expect(policySpecSchema.parse({})).toEqual({
      mode: 'Enforce',
      postgres: [],
      redis: [],
      targets: [],
    });
  });
});

const isNumericExclusive = (keyword: string, value: unknown): boolean =>
  keyword.startsWith('exclusive') && typeof value === 'number';

import { readFileSync, readdirSync } from 'node:fs';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { CrossFieldRule } from './cross-field-rules.ts';
import { type OpenApi, policyDefinitionYaml, policyOpenApi } from './custom-resource-definition.ts';
import { tlsRules } from './fields.ts';
import { poolRules } from './postgres-fields.ts';
import { policySpecSchema } from './resilience-policy.ts';

const folder = new URL('.', import.meta.url);

interface Field {
  readonly path: string;
  readonly schema: OpenApi;
}

/** Every field of a schema, itself first. */
function fieldsOf(schema: OpenApi, path: string): Field[] {
  return [
    { path, schema },
    ...Object.entries(schema.properties ?? {}).flatMap(([key, inner]) =>
      fieldsOf(inner, `${path}.${key}`),
    ),
    ...(schema.items === undefined ? [] : fieldsOf(schema.items, `${path}[]`)),
    ...(schema.additionalProperties === undefined
      ? []
      : fieldsOf(schema.additionalProperties, `${path}{}`)),
  ];
}

const fields = fieldsOf(policyOpenApi().properties?.['spec'] as OpenApi, 'spec');
const ofType = (...types: string[]): Field[] =>
  fields.filter(({ schema }) => types.includes(String(schema.type)));
const paths = (found: readonly Field[]): string[] => found.map(({ path }) => path);

test('the committed YAML is what the schema gives', () => {
  expect(readFileSync(new URL('resilience-policy.yaml', folder), 'utf8')).toBe(
    policyDefinitionYaml(),
  );
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

  test('every number has a range below 2^31 on both sides', () => {
    const open = ofType('integer', 'number').filter(
      ({ schema }) => !(Number(schema['minimum']) >= 0 && Number(schema['maximum']) < 2 ** 31),
    );
    expect(paths(open)).toEqual([]);
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
    const named = fields.filter(({ path }) => path !== 'spec' && !/(\[\]|\{\})$/.test(path));
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
    expect(maps).toHaveLength(2);
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
    expect(policySpecSchema.parse({})).toEqual({ mode: 'Enforce', postgres: [], redis: [] });
  });
});

const isNumericExclusive = (keyword: string, value: unknown): boolean =>
  keyword.startsWith('exclusive') && typeof value === 'number';

describe('every rule over several fields is said twice', () => {
  const withoutCel = {
    'unique names': { file: 'cross-field-rules.ts', twin: 'x-kubernetes-list-type' },
    'few entries': { file: 'cross-field-rules.ts', twin: 'maxProperties' },
  };

  /** Values of every kind that a rule has to judge. */
  const judged = {
    pool: {
      rules: poolRules as readonly CrossFieldRule<never>[],
      values: fc.record({
        min: fc.integer({ min: 0, max: 20 }),
        max: fc.integer({ min: 1, max: 20 }),
      }),
    },
    tls: {
      rules: tlsRules as readonly CrossFieldRule<never>[],
      values: fc.record(
        {
          mode: fc.constantFrom('Disable', 'Require', 'VerifyFull'),
          caSecretRef: fc.constant({ name: 'ca', key: 'ca.crt' }),
        },
        { requiredKeys: ['mode'] },
      ),
    },
  };

  test('nothing but cross-field-rules.ts refines a schema, three times', () => {
    const sources = readdirSync(folder).filter((name) => /(?<!\.test)\.ts$/.test(name));
    const refining = sources.flatMap((name) =>
      [
        ...readFileSync(new URL(name, folder), 'utf8').matchAll(
          /\.(refine|superRefine|check|transform|pipe|preprocess)\(/g,
        ),
      ].map(([call]) => `${name} ${call}`),
    );
    // withRules, and the two whose twin is a keyword.
    expect(refining).toEqual(
      Array.from(
        { length: 1 + Object.keys(withoutCel).length },
        () => 'cross-field-rules.ts .refine(',
      ),
    );
  });

  test.each(Object.entries(withoutCel))('%s: the twin is a keyword', (_name, { twin }) => {
    expect(paths(fields.filter(({ schema }) => twin in schema))).not.toEqual([]);
  });

  test('the rules that are judged below are all that the schema has', () => {
    const printed = new Set(
      fields.flatMap(({ schema }) =>
        ((schema['x-kubernetes-validations'] ?? []) as { rule: string }[]).map(({ rule }) => rule),
      ),
    );
    const listed = Object.values(judged).flatMap(({ rules }) => rules.map(({ cel }) => cel.rule));
    expect([...printed].toSorted()).toEqual(listed.toSorted());
  });

  test.each(
    Object.entries(judged).flatMap(([name, { rules, values }]) =>
      rules.map((rule) => ({
        name,
        rule,
        values: values as fc.Arbitrary<object>,
        cel: rule.cel.rule,
      })),
    ),
  )('$name: parser and CEL agree on `$cel`', ({ rule, values }) => {
    const seen = new Set<boolean>();
    fc.assert(
      fc.property(values, (value) => {
        const holds = rule.holds(value as never);
        seen.add(holds);
        expect(evaluateCel(rule.cel.rule, value)).toBe(holds);
        if (holds || rule.cel.messageExpression === undefined) return;
        expect(evaluateCel(rule.cel.messageExpression, value)).toBe(
          `${rule.field} ${rule.fault(value as never)}`,
        );
      }),
    );
    // Both outcomes were met.
    expect(seen.size).toBe(2);
  });
});

/** The rules keep to the part of CEL that means the same in JavaScript, `has` aside. */
const evaluateCel = (expression: string, self: object): unknown =>
  runInNewContext(expression.replaceAll(/\bhas\(([^)]+)\)/g, '($1 !== undefined)'), {
    self,
    string: String,
  });

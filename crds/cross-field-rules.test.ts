import { readFileSync, readdirSync } from 'node:fs';
import { compileFunction } from 'node:vm';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { budgetRules, namespacesRules } from './connection-budget.ts';
import type { CrossFieldRule } from './cross-field-rules.ts';
import { tlsRules } from './fields.ts';
import { lockRules, lockTransitions } from './lock-fields.ts';
import { poolRules } from './postgres-fields.ts';
import { backoffRules } from './retry-fields.ts';
import { specRules } from './resilience-policy.ts';
import { budgetFields, specFields } from './schema-walk.test-kit.ts';
import { concurrencyRules, targetRules, timeoutRules } from './target-fields.ts';
import { fallbackRules, headerRules, ownHeaders, upstreamRules } from './upstream-fields.ts';

const folder = new URL('.', import.meta.url);
const fields = [...specFields(), ...budgetFields()];

const withoutCel = {
  'unique names': 'x-kubernetes-list-type',
  'few entries': 'maxProperties',
  'distinct entries': 'x-kubernetes-list-type',
};

const few = fc.integer({ min: 1, max: 20 });
/** A block that is there or not; what is in it does not matter. */
const block = fc.constant({});
const secret = fc.constant({ name: 'ca', key: 'ca.crt' });
const name = fc.constantFrom('a', 'b', 'c');
const kind = fc.constantFrom('Postgres', 'Redis', 'Upstream', 'Guard');

/** Values of every kind that a rule has to judge, as they are with their defaults. */
const judged: Readonly<Record<string, Judged>> = {
  pool: { rules: poolRules, values: fc.record({ min: few, max: few }) },
  tls: {
    rules: tlsRules,
    values: fc.record(
      { mode: fc.constantFrom('Disable', 'Require', 'VerifyFull'), caSecretRef: secret },
      { requiredKeys: ['mode'] },
    ),
  },
  timeout: { rules: timeoutRules, values: fc.record({ totalMs: few, perTryMs: few }) },
  backoff: { rules: backoffRules, values: fc.record({ baseMs: few, maxMs: few }) },
  concurrency: {
    rules: concurrencyRules,
    values: fc.record({ max: few, adaptive: fc.record({ min: few }) }, { requiredKeys: ['max'] }),
  },
  header: {
    rules: headerRules,
    values: fc.record(
      {
        name: fc.constantFrom(...ownHeaders, 'accept', 'x-te'),
        value: fc.constantFrom('', 'Bearer '),
        secretRef: secret,
      },
      { requiredKeys: ['name', 'value'] },
    ),
  },
  upstream: {
    rules: upstreamRules,
    values: fc.record(
      {
        baseUrl: fc.constantFrom('http://a', 'https://a', 'http://https://'),
        tls: fc.record({ mode: fc.constantFrom('Disable', 'Require', 'VerifyFull') }),
      },
      { requiredKeys: ['baseUrl'] },
    ),
  },
  fallback: {
    rules: fallbackRules,
    values: fc.record({ static: block, stale: block, upstream: block }, { requiredKeys: [] }),
  },
  target: {
    rules: targetRules,
    values: fc.record(
      {
        kind,
        name,
        upstream: block,
        fallback: block,
        retry: block,
        cost: block,
        concurrency: block,
        priorities: fc.constantFrom([], [{ priority: 'Low', share: 0.5 }]),
      },
      { requiredKeys: ['kind', 'name', 'priorities'] },
    ),
  },
  namespaces: {
    rules: namespacesRules,
    values: fc.record(
      { names: fc.array(name, { maxLength: 1 }), selector: block },
      { requiredKeys: ['names'] },
    ),
  },
  budget: {
    rules: budgetRules,
    values: fc.record({ total: few, reserve: few, floor: few, ceiling: few }),
  },
  locks: { rules: lockRules, values: fc.record({ ttlMs: few, maxHoldMs: few }) },
  spec: {
    rules: specRules,
    values: fc.record({
      targets: fc.array(
        fc.record(
          { kind, name, fallback: fc.record({ upstream: fc.record({ name }) }) },
          { requiredKeys: ['kind', 'name'] },
        ),
        { maxLength: 4 },
      ),
    }),
  },
};

interface Judged {
  readonly rules: readonly CrossFieldRule<never>[];
  readonly values: fc.Arbitrary<object>;
}

test('nothing but cross-field-rules.ts refines a schema, four times', () => {
  const sources = readdirSync(folder).filter((file) => /(?<!\.test(-kit)?)\.ts$/.test(file));
  const refining = sources.flatMap((file) =>
    [
      ...readFileSync(new URL(file, folder), 'utf8').matchAll(
        /\.(refine|superRefine|check|transform|pipe|preprocess)\(/g,
      ),
    ].map(([call]) => `${file} ${call}`),
  );
  // withRules, and those whose twin is a keyword.
  expect(refining).toEqual(
    Array.from(
      { length: 1 + Object.keys(withoutCel).length },
      () => 'cross-field-rules.ts .refine(',
    ),
  );
});

test.each(Object.entries(withoutCel))('%s: the twin is a keyword', (_name, twin) => {
  expect(fields.filter(({ schema }) => twin in schema)).not.toEqual([]);
});

test('the rules that are judged below are all that the schema has', () => {
  const printed = new Set(
    fields.flatMap(({ schema }) =>
      ((schema['x-kubernetes-validations'] ?? []) as { rule: string }[]).map(({ rule }) => rule),
    ),
  );
  const listed = new Set(
    [...Object.values(judged).flatMap(({ rules }) => rules), ...lockTransitions].map(
      ({ cel }) => cel.rule,
    ),
  );
  // The minimum once more, for whole numbers.
  const ofOneField = /^self >= 0\.[0-9]+$/;
  expect([...printed].filter((rule) => !ofOneField.test(rule)).toSorted()).toEqual(
    [...listed].toSorted(),
  );
});

// A real API server judges every rule, too: e2e/policy-contract.integration.test.ts.
test.each(
  Object.entries(judged).flatMap(([of, { rules, values }]) =>
    rules.map((rule) => ({ of, rule, values, cel: rule.cel.rule })),
  ),
)('$of: parser and CEL agree on `$cel`', ({ rule, values }) => {
  const seen = new Set<boolean>();
  fc.assert(
    fc.property(values, (value) => {
      const holds = rule.holds(value as never);
      seen.add(holds);
      expect(evaluateCel(rule.cel.rule, value)).toBe(holds);
    }),
    { numRuns: 500 },
  );
  // Both outcomes were met.
  expect(seen.size).toBe(2);
});

test.each(lockTransitions)('an edit is judged alike by `$cel.rule`', (rule) => {
  const locks = fc.record({
    authority: fc.constantFrom('Redis', 'Postgres'),
    server: name,
  });
  const spec = fc.record({ locks }, { requiredKeys: [] });
  const seen = new Set<boolean>();
  fc.assert(
    fc.property(spec, spec, (before, after) => {
      const holds = rule.holds(before as never, after as never);
      seen.add(holds);
      expect(evaluateCel(rule.cel.rule, after, before)).toBe(holds);
    }),
  );
  expect(seen.size).toBe(2);
});

/** The rules keep to the part of CEL that means the same in JavaScript when has, size, all and exists are put into its words. */
function evaluateCel(expression: string, self: object, oldSelf?: object): unknown {
  const translated = expression
    .replaceAll(/\bhas\(([^)]+)\)/g, '($1 !== undefined)')
    .replaceAll('.size()', '.length')
    .replaceAll(/\.all\((\w+), /g, '.every(($1) => ')
    .replaceAll(/\.exists\((\w+), /g, '.some(($1) => ');
  const evaluate = compileFunction(`return ${translated}`, ['self', 'oldSelf']) as (
    self: object,
    oldSelf: object | undefined,
  ) => unknown;
  return evaluate(self, oldSelf);
}

import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { readPolicyFile } from './policy-file.ts';
import { faultsOf, manifest, pool } from './policy-text.test-kit.ts';

const example = readFileSync(new URL('../examples/policies/default.yaml', import.meta.url), 'utf8');

test('the example gives a PostgreSQL and a Redis called default, with every default filled in', () => {
  const [policy, ...more] = readPolicyFile(example, 'default.yaml');
  expect(more).toEqual([]);
  expect(policy?.metadata).toEqual({ name: 'default' });
  expect(policy?.spec.mode).toBe('Enforce');
  expect(policy?.spec.postgres).toEqual([
    {
      name: 'default',
      secretRef: { name: 'postgres', key: 'url' },
      pool: {
        min: 2,
        max: 10,
        overflow: 0,
        acquireTimeoutMs: 5_000,
        queueLimit: 10_000,
        connectTimeoutMs: 5_000,
        idleTimeoutMs: 300_000,
        maxLifetimeMs: 1_800_000,
        lifetimeJitter: 0.1,
        probeAfterMs: 30_000,
      },
      preparedStatements: true,
      statementTimeoutMs: 30_000,
      idleInTransactionTimeoutMs: 30_000,
      transactionTimeoutMs: 60_000,
      slowStatementMs: 500,
      maxResultBytes: 16 * 1024 * 1024,
    },
  ]);
  expect(policy?.spec.redis).toMatchObject([
    {
      name: 'default',
      secretRef: { name: 'redis', key: 'url' },
      connections: 2,
      maxInFlight: 50_000,
      commandTimeoutMs: 2_000,
      connectTimeoutMs: 5_000,
      maxReplyBytes: 16 * 1024 * 1024,
      blockingConnections: 16,
    },
  ]);
});

describe('a fault is one line with file, line, column and field', () => {
  test.each([
    [
      'min above max',
      manifest(pool.replace('min: 2', 'min: 11')),
      'policy.yaml:11:9: spec.postgres[0].pool.min must be at most max (10)',
    ],
    [
      'a misspelt field',
      manifest(pool.replace('min: 2', 'mni: 2')),
      'policy.yaml:11:9: spec.postgres[0].pool.mni is no known field; is min meant?',
    ],
    [
      'a field of nowhere',
      manifest(`${pool}  frobnicate: 1\n`),
      'policy.yaml:13:3: spec.frobnicate is no known field',
    ],
    [
      'a misspelt part of the manifest',
      `${manifest(pool)}stauts: {}\n`,
      'policy.yaml:13:1: stauts is no known field; is status meant?',
    ],
    [
      'a misspelt part of the metadata',
      manifest(pool).replace('  name: orders', '  name: orders\n  lables: {}'),
      'policy.yaml:5:3: metadata.lables is no known field; is labels meant?',
    ],
    [
      'a number out of range',
      manifest(pool.replace('max: 10', 'max: 1001')),
      'policy.yaml:12:9: spec.postgres[0].pool.max must be at most 1000',
    ],
    [
      'a number below its range',
      manifest(pool.replace('min: 2', 'min: -1')),
      'policy.yaml:11:9: spec.postgres[0].pool.min must be at least 0',
    ],
    [
      'a fraction',
      manifest(pool.replace('max: 10', 'max: 2.5')),
      'policy.yaml:12:9: spec.postgres[0].pool.max must be a whole number',
    ],
    [
      'text for a number',
      manifest(pool.replace('max: 10', 'max: "10"')),
      'policy.yaml:12:9: spec.postgres[0].pool.max must be a number',
    ],
    [
      'a word that YAML takes for true',
      manifest(pool.replace('name: default', 'name: on')),
      'policy.yaml:7:7: spec.postgres[0].name must be text (a bare number or yes/no needs quotes)',
    ],
    [
      'a field that YAML takes for true',
      manifest(
        '  targets: [{ kind: Upstream, name: a, upstream: { baseUrl: http://a }, retry: { on: [Timeout] } }]\n',
      ),
      'policy.yaml:6:82: spec.targets[0].retry.true is no known field: YAML takes a bare `on`, `yes` or `y` for true; write it in quotes',
    ],
    [
      'a name that is no DNS label',
      manifest(pool.replace('name: default', 'name: My_Pool')),
      'policy.yaml:7:7: spec.postgres[0].name must be a DNS label: lower-case letters, digits and `-`, beginning and ending with a letter or digit',
    ],
    [
      'an empty name',
      manifest(pool.replace('name: default', 'name: ""')),
      'policy.yaml:7:7: spec.postgres[0].name must be a DNS label: lower-case letters, digits and `-`, beginning and ending with a letter or digit',
    ],
    [
      'a secret key that climbs',
      manifest(pool.replace('name: postgres', 'name: postgres\n        key: ../../etc/passwd')),
      "policy.yaml:10:9: spec.postgres[0].secretRef.key must be a Secret's key: letters, digits, `-`, `_` and `.`",
    ],
    [
      'a required field that is missing',
      manifest('  redis:\n    - name: cache\n'),
      'policy.yaml:7:7: spec.redis[0].secretRef is required',
    ],
    ['a missing spec', manifest('').replace('spec:\n', ''), 'policy.yaml:1:1: spec is required'],
    ['a null spec', manifest(''), 'policy.yaml:5:1: spec is required'],
    [
      'another kind',
      manifest(pool).replace('ResiliencePolicy', 'ConfigMap'),
      'policy.yaml:2:1: kind must be ResiliencePolicy',
    ],
    [
      'another version',
      manifest(pool).replace('v1alpha1', 'v1'),
      'policy.yaml:1:1: apiVersion must be resilience.holdfast.dev/v1alpha1',
    ],
    [
      'a mode that there is not',
      manifest(`  mode: Dry\n${pool}`),
      'policy.yaml:6:3: spec.mode must be Enforce or Shadow',
    ],
    [
      'two pools of one name',
      manifest(`${pool}    - name: default\n      secretRef: { name: other }\n`),
      'policy.yaml:6:3: spec.postgres names "default" twice',
    ],
    [
      'a certificate that nobody would check',
      manifest(`${pool}      tls: { mode: Require, caSecretRef: { name: ca } }\n`),
      'policy.yaml:13:29: spec.postgres[0].tls.caSecretRef needs mode VerifyFull (mode is Require, which checks no certificate)',
    ],
    [
      'a label value that is none',
      manifest(`  selector: { matchLabels: { app.kubernetes.io/name: "-" } }\n${pool}`),
      'policy.yaml:6:30: spec.selector.matchLabels["app.kubernetes.io/name"] must be a label value: letters, digits, `-`, `_` and `.`, beginning and ending with a letter or digit',
    ],
    [
      'a field twice',
      manifest(pool.replace('min: 2', 'min: 2\n        min: 3')),
      'policy.yaml:12:9: Map keys must be unique',
    ],
    ['a bare word', 'hello', 'policy.yaml:1:1: must be a block of fields'],
    ['nothing', '', 'policy.yaml:1:1: holds no policy'],
    ['comments only', '# nothing\n---\n# here\n', 'policy.yaml:1:1: holds no policy'],
    [
      'a tab for indentation',
      'spec:\n\tmode: Enforce\n',
      'policy.yaml:2:1: Tabs are not allowed as indentation',
    ],
  ])('%s', (_name, text, fault) => {
    expect(faultsOf(text)).toEqual([fault]);
  });

  test('all faults are told at once', () => {
    const text = manifest(pool.replace('min: 2', 'min: -1').replace('max: 10', 'max: 0'));
    expect(faultsOf(text)).toHaveLength(2);
  });

  test('too many labels', () => {
    const labels = Array.from({ length: 17 }, (_, index) => `l${index}: x`).join(', ');
    expect(faultsOf(manifest(`  selector: { matchLabels: { ${labels} } }\n`))).toEqual([
      'policy.yaml:6:15: spec.selector.matchLabels must have at most 16 entries',
    ]);
  });

  test('aliases that multiply', () => {
    const bomb = `a: &a [x]\nb: &b [${'*a,'.repeat(9)}*a]\nc: &c [${'*b,'.repeat(9)}*b]\nd: [${'*c,'.repeat(9)}*c]\n`;
    expect(faultsOf(bomb)).toEqual([
      'policy.yaml:1:1: Excessive alias count indicates a resource exhaustion attack',
    ]);
  });
});

describe('as kubectl takes it', () => {
  test('several documents, empty ones skipped', () => {
    const other = pool.replace('name: default', 'name: other');
    const read = readPolicyFile(
      `---\n${manifest(pool, 'one')}---\n---\n${manifest(other, 'two')}`,
      'policy.yaml',
    );
    expect(read.map(({ metadata }) => metadata.name)).toEqual(['one', 'two']);
  });

  test('JSON', () => {
    const [policy] = readPolicyFile(
      '{"apiVersion":"resilience.holdfast.dev/v1alpha1","kind":"ResiliencePolicy","metadata":{"name":"a"},"spec":{}}',
      'policy.json',
    );
    expect(policy?.spec).toEqual({ mode: 'Enforce', postgres: [], redis: [], targets: [] });
  });

  test('a null field is an absent one', () => {
    const [policy] = readPolicyFile(manifest(pool.replace('min: 2', 'min:')), 'policy.yaml');
    expect(policy?.spec.postgres[0]?.pool.min).toBe(2);
  });

  test('anchors and merges', () => {
    const text = manifest(`  postgres:
    - &base
      name: a
      secretRef: { name: s }
    - <<: *base
      name: b
`);
    const [policy] = readPolicyFile(text, 'policy.yaml');
    expect(policy?.spec.postgres.map(({ name }) => name)).toEqual(['a', 'b']);
  });

  test('numbers of YAML 1.1, and text that only looks like a time', () => {
    const text = manifest(
      pool.replace('max: 10', 'max: 010').replace('name: postgres', 'name: 12-30'),
    );
    const [policy] = readPolicyFile(text, 'policy.yaml');
    expect(policy?.spec.postgres[0]?.pool.max).toBe(8);
    expect(faultsOf(manifest(pool.replace('name: postgres', 'name: 12:30')))[0]).toContain(
      "must be a Secret's name",
    );
  });

  test('what the API server adds to metadata', () => {
    const text = manifest(pool).replace(
      '  name: orders',
      '  name: orders\n  uid: 1d3c\n  generation: 3\n  creationTimestamp: 2026-01-31T12:00:00Z\n  annotations: { a: b }',
    );
    expect(faultsOf(text)).toEqual([]);
  });
});

import { expect, test } from 'vitest';
import { faultsOf, manifest, pool } from './policy-text.test-kit.ts';

test('two policies of one name', () => {
  expect(faultsOf(`${manifest('  mode: Enforce\n')}---\n${manifest('  mode: Shadow\n')}`)).toEqual([
    'policy.yaml:11:3: metadata.name is the name of another policy, at policy.yaml:4:3',
  ]);
});

test('one name in two namespaces', () => {
  const there = manifest('  mode: Enforce\n').replace('metadata:', 'metadata:\n  namespace: b');
  expect(faultsOf(`${manifest('  mode: Enforce\n')}---\n${there}`)).toEqual([]);
});

test('one pool in two policies that are in force', () => {
  expect(faultsOf(`${manifest(pool, 'a')}---\n${manifest(pool, 'b')}`)).toEqual([
    'policy.yaml:20:7: spec.postgres[0].name is the name of another postgres pool, at policy.yaml:7:7',
  ]);
});

test('one target in two policies that are in force', () => {
  const guard = '  targets: [{ kind: Guard, name: a }]\n';
  const other = '  targets: [{ kind: Upstream, name: a, upstream: { baseUrl: http://a } }]\n';
  expect(faultsOf(`${manifest(guard, 'a')}---\n${manifest(guard, 'b')}`)).toEqual([
    'policy.yaml:13:28: spec.targets[0].name is the name of another target of kind Guard, at policy.yaml:6:28',
  ]);
  expect(faultsOf(`${manifest(guard, 'a')}---\n${manifest(other, 'b')}`)).toEqual([]);
});

test('a shadow policy stands beside the one in force', () => {
  expect(
    faultsOf(`${manifest(pool, 'a')}---\n${manifest(`  mode: Shadow\n${pool}`, 'b')}`),
  ).toEqual([]);
});

test.each(['locks: { authority: Redis }', 'tracing: {}', 'alerts: {}'])(
  'a block that there can be only one of, in two policies: %s',
  (block) => {
    const field = block.split(':')[0];
    expect(
      faultsOf(`${manifest(`  ${block}\n`, 'a')}---\n${manifest(`  ${block}\n`, 'b')}`),
    ).toEqual([`policy.yaml:13:3: spec.${field} is in another policy, too, at policy.yaml:6:3`]);
    const shadow = manifest(`  ${block}\n  mode: Shadow\n`, 'b');
    expect(faultsOf(`${manifest(`  ${block}\n`, 'a')}---\n${shadow}`)).toEqual([]);
  },
);

import { execFile } from 'node:child_process';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { badPolicies } from '../crds/bad-policies.test-kit.ts';
import { manifest } from '../crds/bad-policy.test-kit.ts';
import { policyDefinition } from '../crds/custom-resource-definition.ts';
import { faultyFields } from '../crds/faulty-fields.test-kit.ts';
import { fullPolicy } from '../crds/full-policy.test-kit.ts';
import { lockTransitions } from '../crds/lock-fields.ts';
import { readPolicyFile } from '../crds/policy-file.ts';
import { mutations } from '../crds/policy-mutations.test-kit.ts';
import { specFields } from '../crds/schema-walk.test-kit.ts';
import { parseAllDocuments } from 'yaml';
import { binaryPath } from './cluster/binaries.ts';
import { noClusterReason, type TestCluster, testCluster } from './cluster/test-cluster.ts';
import { dryRun } from './policy-dry-run.ts';

const examples = fileURLToPath(new URL('../examples/policies', import.meta.url));
const skipped = noClusterReason();

describe.skipIf(skipped !== undefined)(`a real API server${skipped ?? ''}`, () => {
  let cluster: TestCluster;
  beforeAll(async () => {
    cluster = await testCluster();
    await cluster.api.establish(policyDefinition());
  });
  afterAll(() => cluster?.stop());

  const refusals: string[] = [];

  test.each(badPolicies)(
    'refuses $field: $title',
    async ({ manifest: bad, field, server = {} }) => {
      const { fields, messages } = await dryRun(cluster.api, bad);
      refusals.push(...messages);
      expect(fields).toEqual('takes' in server ? [] : ['names' in server ? server.names : field]);
    },
  );

  test('has refused something by every rule of every field', () => {
    const rules = specFields().flatMap(
      ({ schema }) => (schema['x-kubernetes-validations'] ?? []) as { message: string }[],
    );
    const ofEdits = lockTransitions.map(({ cel }) => cel.message);
    const unused = rules.filter(
      ({ message }) =>
        !/^must be at least 0\.\d+$/.test(message) &&
        !ofEdits.includes(message) &&
        !refusals.some((refusal) => refusal.includes(message)),
    );
    expect(unused).toEqual([]);
  });

  test.each([...readdirSync(examples), 'the policy of every field', 'the empty policy'])(
    'takes %s, and fills in the defaults that the parser fills in',
    async (file) => {
      const good = file.endsWith('.yaml') ? readFileSync(`${examples}/${file}`, 'utf8') : undefined;
      const text = good ?? JSON.stringify(file === 'the empty policy' ? manifest({}) : fullPolicy);
      const policies = readPolicyFile(text, file);
      for (const [index, policy] of policies.entries()) {
        const written = given(text)[index] as object;
        const { messages, stored } = await dryRun(cluster.api, written);
        expect(messages).toEqual([]);
        expect(stored?.['spec']).toEqual(JSON.parse(JSON.stringify(policy.spec)));
      }
    },
  );

  test('and the parser refuse the same of what chance makes, and name the same fields', async () => {
    const verdicts = { good: 0, bad: 0 };
    await fc.assert(
      fc.asyncProperty(mutations, async (policy) => {
        const { fields, messages } = await dryRun(cluster.api, policy);
        const ours = faultyFields(policy).map((field) => field.replaceAll(/\["([^"]+)"\]/g, '.$1'));
        verdicts[fields.length === 0 ? 'good' : 'bad'] += 1;
        const both = { parser: ours, server: messages };
        expect({ ...both, refused: ours.length > 0 }).toEqual({
          ...both,
          refused: fields.length > 0,
        });
        // The server goes on into what should not be a block, and names the item of a list.
        const common = fields.filter((field) =>
          ours.some((own) => [field, ...prefixes(field)].includes(own)),
        );
        expect({ ...both, agree: common.length > 0 }).toEqual({ ...both, agree: ours.length > 0 });
      }),
      { numRuns: 120 },
    );
    expect(Math.min(verdicts.good, verdicts.bad)).toBeGreaterThan(10);
  });

  const policy = (spec: object) => ({ ...manifest(spec), metadata: { name: 'holdfast-test' } });
  const path = '/apis/resilience.holdfast.dev/v1alpha1/namespaces/default/resiliencepolicies';

  describe('of a policy that is there', () => {
    beforeAll(async () => {
      const spec = { locks: { authority: 'Redis' }, tracing: {} };
      await cluster.api.call('POST', path, { body: policy(spec) });
    });
    afterAll(() => cluster.api.call('DELETE', `${path}/holdfast-test`));

    const edit = async (spec: object): Promise<number> => {
      const contentType = 'application/merge-patch+json';
      const edited = `${path}/holdfast-test?dryRun=All`;
      const { status } = await cluster.api.call('PATCH', edited, { body: { spec }, contentType });
      return status;
    };

    test.each([
      ['takes another time to live', { locks: { ttlMs: 1_000 } }, 200],
      ['takes away what may go', { tracing: null }, 200],
      ['refuses another authority', { locks: { authority: 'Postgres' } }, 422],
      ['refuses another server', { locks: { server: 'other' } }, 422],
      ['refuses no locks at all', { locks: null }, 422],
    ])('%s', async (_title, spec, status) => {
      expect(await edit(spec)).toBe(status);
    });

    const condition = (type: string, status: string) => ({
      type,
      status,
      lastTransitionTime: '2026-01-31T12:00:00Z',
      reason: 'Test',
      message: 'as the test says',
    });
    const setStatus = async (status: object): Promise<number> => {
      const contentType = 'application/merge-patch+json';
      const answer = await cluster.api.call(
        'PATCH',
        `${path}/holdfast-test/status?fieldValidation=Strict`,
        { body: { status }, contentType },
      );
      return answer.status;
    };

    test('shows mode, conditions and age in a table', async () => {
      const status = {
        observedGeneration: 1,
        conditions: [condition('Accepted', 'True'), condition('Programmed', 'False')],
        pods: { selected: 3, connected: 2, programmed: 1, rejecting: 1 },
        rejections: [{ pod: 'orders-1', reason: 'RestartRequired', message: 'a secret' }],
      };
      expect(await setStatus(status)).toBe(200);
      const accept = 'application/json;as=Table;g=meta.k8s.io;v=v1';
      const { body } = await cluster.api.call('GET', `${path}/holdfast-test`, { accept });
      const table = body as unknown as {
        columnDefinitions: { name: string }[];
        rows: { cells: unknown[] }[];
      };
      expect(table.columnDefinitions.map(({ name }) => name)).toEqual([
        'Name',
        'Mode',
        'Accepted',
        'Programmed',
        'Pods',
        'In force',
        'Degraded',
        'Conflicted',
        'Age',
      ]);
      expect(table.rows[0]?.cells.slice(0, 6)).toEqual([
        'holdfast-test',
        'Enforce',
        'True',
        'False',
        3,
        1,
      ]);
    });

    test.each([
      ['a condition twice', { conditions: [condition('A', 'True'), condition('A', 'True')] }],
      [
        'a condition without time',
        { conditions: [{ ...condition('A', 'True'), lastTransitionTime: null }] },
      ],
      ['a condition that is neither', { conditions: [condition('A', 'Maybe')] }],
      ['half the numbers', { pods: { selected: 1, connected: null } }],
      [
        'too many rejections',
        { rejections: Array.from({ length: 17 }, () => ({ pod: 'a', reason: 'b', message: 'c' })) },
      ],
      ['something else', { phase: 'Ready' }],
    ])('refuses in its status %s', async (_title, status) => {
      expect(await setStatus(status)).toBeGreaterThanOrEqual(400);
    });
  });

  test.runIf(existsSync(binaryPath('kubectl')))(
    'is spoken to by kubectl, by all names',
    async () => {
      const cacheFolder = join(dirname(cluster.kubeconfig), 'kubectl-cache');
      const kubectl = async (...args: string[]): Promise<string> =>
        (
          await promisify(execFile)(
            binaryPath('kubectl'),
            ['--kubeconfig', cluster.kubeconfig, '--cache-dir', cacheFolder, ...args],
            { env: {} },
          )
        ).stdout;
      const dry = ['--dry-run=server', '--validate=strict'];
      expect((await kubectl('apply', ...dry, '-f', examples)).trim().split('\n')).toHaveLength(
        readdirSync(examples).length,
      );
      expect(await kubectl('get', 'rp,holdfast')).toBe('');
      expect(await kubectl('explain', 'rp.spec.targets.breaker')).toContain('failureRate');
    },
  );
});

/** What lies around a field: `a.b[0].c` → `a.b[0]`, `a.b`, `a`. */
const prefixes = (field: string): string[] =>
  [...field.matchAll(/[.[]/g)].map(({ index }) => field.slice(0, index));

/** The manifests of a file, as they were written. */
const given = (text: string): unknown[] =>
  parseAllDocuments(text).map((document) => document.toJS() as unknown);

import { readFileSync, readdirSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { policyDefinition } from '../crds/custom-resource-definition.ts';
import { fullPolicy } from '../crds/full-policy.test-kit.ts';
import type { KubeObject } from './cluster/kube-api.ts';
import { noClusterReason, type TestCluster, testCluster } from './cluster/test-cluster.ts';

const released = new URL('../crds/released/', import.meta.url);
const path = '/apis/resilience.holdfast.dev/v1alpha1/namespaces/default/resiliencepolicies';
const skipped = noClusterReason();
// The CRD of a cluster that others use is not turned back.
const unfit = skipped ?? (process.env['E2E_KUBECONFIG'] && ' (skipped: E2E_KUBECONFIG is given)');

describe.skipIf(unfit !== undefined)(`a real API server${unfit ?? ''}`, () => {
  let cluster: TestCluster;
  beforeAll(async () => {
    cluster = await testCluster();
  });
  afterAll(() => cluster?.stop());

  test.each(readdirSync(released))(
    'reads under the present schema what was stored under %s, and takes edits of it',
    async (file) => {
      await cluster.api.establish(parse(readFileSync(new URL(file, released), 'utf8')) as object);
      const stored = new Map<string, KubeObject>();
      for (const [name, given] of Object.entries(policies)) {
        const body = { ...given, metadata: { name } };
        const created = await cluster.api.call('POST', path, { body });
        expect(created.body.message).toBeUndefined();
        const status = { status: oldStatus };
        const contentType = 'application/merge-patch+json';
        const answer = await cluster.api.call('PATCH', `${path}/${name}/status`, {
          body: status,
          contentType,
        });
        expect(answer.status).toBe(200);
        stored.set(name, answer.body);
      }

      await cluster.api.establish(policyDefinition());

      for (const [name, before] of stored) {
        const { body: after } = await cluster.api.call('GET', `${path}/${name}`);
        expect(after['spec']).toMatchObject(before['spec'] as object);
        expect(after['status']).toEqual(before['status']);
        // An edit has the whole object checked.
        const body = { spec: { mode: 'Shadow' } };
        const contentType = 'application/merge-patch+json';
        const edited = await cluster.api.call('PATCH', `${path}/${name}`, { body, contentType });
        expect(edited.body.message).toBeUndefined();
        await cluster.api.call('DELETE', `${path}/${name}`);
      }
    },
    60_000,
  );
});

const policies: Readonly<Record<string, object>> = {
  full: fullPolicy,
  empty: { ...fullPolicy, spec: {} },
};

/** As the first release knew it. */
const oldStatus = {
  observedGeneration: 1,
  conditions: [
    {
      type: 'Accepted',
      status: 'True',
      lastTransitionTime: '2026-01-31T12:00:00Z',
      reason: 'Test',
      message: 'as the test says',
    },
  ],
  pods: { selected: 3, connected: 2, programmed: 1, rejecting: 1 },
  rejections: [{ pod: 'orders-1', reason: 'Refused', message: 'a field' }],
};

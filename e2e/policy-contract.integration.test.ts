import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { policyDefinition } from '../crds/custom-resource-definition.ts';
import { noClusterReason, type TestCluster, testCluster } from './cluster/test-cluster.ts';

const skipped = noClusterReason();

describe.skipIf(skipped !== undefined)(`a real API server ${skipped ?? ''}`, () => {
  let cluster: TestCluster;
  beforeAll(async () => {
    cluster = await testCluster();
    await cluster.api.establish(policyDefinition());
  });
  afterAll(() => cluster?.stop());

  test('takes the CRD', async () => {
    const { status } = await cluster.api.call(
      'GET',
      '/apis/resilience.holdfast.dev/v1alpha1/resiliencepolicies',
    );
    expect(status).toBe(200);
  });
});

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { badPolicies } from '../crds/bad-policies.test-kit.ts';
import { policyDefinition } from '../crds/custom-resource-definition.ts';

import { noClusterReason, type TestCluster, testCluster } from './cluster/test-cluster.ts';
import { dryRun } from './policy-dry-run.ts';

const skipped = noClusterReason();

describe.skipIf(skipped !== undefined)(`a real API server ${skipped ?? ''}`, () => {
  let cluster: TestCluster;
  beforeAll(async () => {
    cluster = await testCluster();
    await cluster.api.establish(policyDefinition());
  });
  afterAll(() => cluster?.stop());

  test.each(badPolicies)('refuses $field: $title', async ({ manifest, field, server = {} }) => {
    const { fields, messages } = await dryRun(cluster.api, manifest);
    expect(fields, messages.join()).toEqual(
      'takes' in server ? [] : ['names' in server ? server.names : field],
    );
  });
});

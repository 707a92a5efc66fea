import { describe, expect, test } from 'vitest';
import type { ResiliencePolicy } from '../crds/resilience-policy.ts';
import { checkManifest } from '../crds/policy-manifest.ts';
import { databaseUrl, faultOf, filesOf, read } from './config.test-kit.ts';
import { readSettings, SettingsError } from './config.ts';
import { certificate } from './redis/tls-certificate.test-kit.ts';
import type { GivenPolicies } from './settings/given-policies.ts';

const controlled = {
  HOLDFAST_CONTROLLER: 'holdfast-controller.holdfast-system:8443',
  HOLDFAST_CONTROLLER_CA: certificate,
  HOLDFAST_STATE_DIR: '/var/lib/holdfast',
  HOLDFAST_SECRETS_DIR: '/secrets',
};

describe('a controller in place of a policy file', () => {
  test('needs neither URLs nor a policy to start', () => {
    expect(read(controlled)).toMatchObject({
      postgres: [],
      redis: [],
      redisOff: false,
      policies: [],
      policyDigest: '',
      controller: {
        address: 'holdfast-controller.holdfast-system:8443',
        serverName: 'holdfast-controller.holdfast-system',
        ca: { pem: certificate },
        tokenFile: '/var/run/secrets/holdfast/token',
      },
    });
  });

  test('takes its authority from a file, and another name', () => {
    const { HOLDFAST_CONTROLLER_CA: _, ...rest } = controlled;
    const env = {
      ...rest,
      HOLDFAST_CONTROLLER: '[::1]:8443',
      HOLDFAST_CONTROLLER_CA_FILE: '/ca.crt',
      HOLDFAST_CONTROLLER_NAME: 'holdfast-controller.holdfast-system.svc',
      HOLDFAST_CONTROLLER_TOKEN_FILE: '/token',
    };
    expect(read(env, { '/ca.crt': certificate }).controller).toEqual({
      address: '[::1]:8443',
      serverName: 'holdfast-controller.holdfast-system.svc',
      ca: { file: '/ca.crt' },
      tokenFile: '/token',
    });
    expect(
      read({ ...env, HOLDFAST_CONTROLLER_NAME: undefined }, { '/ca.crt': certificate }),
    ).toMatchObject({
      controller: { serverName: '::1' },
    });
  });

  test.each([
    [{ HOLDFAST_POLICY_FILE: '/policy.yaml' }, /HOLDFAST_POLICY_FILE are both set/],
    [{ HOLDFAST_STATE_DIR: undefined }, /needs HOLDFAST_STATE_DIR/],
    [{ HOLDFAST_CONTROLLER_CA: undefined }, /needs either HOLDFAST_CONTROLLER_CA or/],
    [{ HOLDFAST_CONTROLLER_CA_FILE: '/ca.crt' }, /needs either HOLDFAST_CONTROLLER_CA or/],
    [{ HOLDFAST_CONTROLLER_CA: 'none' }, /^HOLDFAST_CONTROLLER_CA holds no certificate/],
    [{ HOLDFAST_CONTROLLER: 'controller' }, /^HOLDFAST_CONTROLLER must be host:port$/],
    [{ HOLDFAST_CONTROLLER: 'https://controller:1' }, /^HOLDFAST_CONTROLLER must be host:port$/],
  ])('%j is refused', (env, fault) => {
    expect(faultOf({ ...controlled, ...env })).toMatch(fault);
  });

  test('variables of its Service are passed over', () => {
    const links = {
      HOLDFAST_CONTROLLER_SERVICE_HOST: '10.0.0.1',
      HOLDFAST_CONTROLLER_SERVICE_PORT_DISCOVERY: '8443',
      HOLDFAST_CONTROLLER_PORT: 'tcp://10.0.0.1:8443',
      HOLDFAST_CONTROLLER_PORT_8443_TCP_ADDR: '10.0.0.1',
    };
    expect(faultOf({ ...controlled, ...links })).toBe('no fault');
  });
});

const policyOf = (spec: object, name = 'orders'): ResiliencePolicy => {
  const manifest = {
    apiVersion: 'resilience.holdfast.dev/v1alpha1',
    kind: 'ResiliencePolicy',
    metadata: { name },
    spec,
  };
  const { policy, faults } = checkManifest(manifest);
  if (policy === undefined) throw new Error(JSON.stringify(faults));
  return policy;
};

const pools = {
  postgres: [
    { name: 'orders', secretRef: { name: 'orders-db' } },
    { name: 'reports', secretRef: { name: 'reports-db' } },
  ],
};

const given = (spec: object, more: Partial<GivenPolicies> = {}): GivenPolicies => ({
  version: 'v1',
  policies: [policyOf(spec)],
  lastRead: new Map(),
  starting: false,
  ...more,
});

const take = (policies: GivenPolicies, files: Readonly<Record<string, string>>) =>
  readSettings(controlled, filesOf(files), policies);

const refusalOf = (policies: GivenPolicies, files: Readonly<Record<string, string>>) => {
  try {
    take(policies, files);
  } catch (thrown) {
    if (thrown instanceof SettingsError) return thrown.fault;
    throw thrown;
  }
  return undefined;
};

describe('policies of a controller', () => {
  test('a pool whose secret is not mounted is left out, and the rest holds', () => {
    const targets = [{ kind: 'Postgres', name: 'reports', timeout: {} }];
    const locks = { authority: 'Postgres', server: 'reports' };
    const settings = take(given({ ...pools, targets, locks }), {
      '/secrets/orders-db/url': databaseUrl,
    });
    expect(settings).toMatchObject({ policyDigest: 'v1', postgres: [{ name: 'orders' }] });
    expect(settings.absent).toEqual([
      {
        kind: 'Postgres',
        name: 'reports',
        policy: 'orders',
        field: 'spec.postgres[1].secretRef',
        message: 'the secret "reports-db" (key "url") is not mounted',
      },
    ]);
  });

  test('a secret that vanishes stays in use', () => {
    const policies = given({ postgres: pools.postgres.slice(0, 1) });
    const files = { '/secrets/orders-db/url': databaseUrl };
    expect(take(policies, {}).postgres).toEqual([]);
    const before = take(policies, files);
    expect(take(policies, {})).toEqual(before);
  });

  test('a secret with a fault in it refuses the policy by its field, but not a start', () => {
    const files = {
      '/secrets/orders-db/url': 'mysql://nowhere',
      '/secrets/reports-db/url': databaseUrl,
    };
    expect(refusalOf(given(pools), files)).toMatchObject({
      policy: 'orders',
      field: 'spec.postgres[0].secretRef',
      message: expect.stringContaining('/secrets/orders-db/url') as string,
    });
    const settings = take(given(pools, { starting: true }), files);
    expect(settings.postgres.map(({ name }) => name)).toEqual(['reports']);
    expect(settings.absent).toMatchObject([{ name: 'orders' }]);
  });

  test.each([
    [
      { targets: [{ kind: 'Redis', name: 'cache', timeout: {} }] },
      'spec.targets[0].name',
      'no Redis pool is called "cache"; there is none',
    ],
    [
      { locks: { authority: 'Redis', server: 'cache' } },
      'spec.locks.server',
      'no Redis pool is called "cache"; there is none',
    ],
  ])('%j is refused by its field', (spec, field, message) => {
    expect(refusalOf(given(spec), {})).toEqual({ policy: 'orders', field, message });
  });
});

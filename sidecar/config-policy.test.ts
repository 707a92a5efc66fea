import { describe, expect, test } from 'vitest';
import {
  bothPools,
  databaseUrl,
  faultOf,
  policy,
  read,
  secrets,
  urls,
  withPolicy,
} from './config.test-kit.ts';
import type { Settings } from './config.ts';

describe('a policy file', () => {
  test('names pools, whose URLs stand in files', () => {
    const settings = read(withPolicy, secrets);
    expect(settings.postgres).toMatchObject([
      {
        name: 'orders',
        connection: { hosts: [{ host: 'db.example', port: 5433 }], password: 's3cret' },
      },
    ]);
    expect(settings.redis).toMatchObject([
      {
        name: 'cache',
        connection: {
          place: { host: 'cache.example' },
          database: 3,
          tls: { rejectUnauthorized: true },
        },
      },
    ]);
    expect(settings.policies).toHaveLength(1);
  });

  test('a variable adds the pool default', () => {
    const settings = read(
      { ...withPolicy, DATABASE_URL: databaseUrl, REDIS_URL: 'redis://r' },
      secrets,
    );
    expect(settings.postgres.map(({ name }) => name)).toEqual(['orders', 'default']);
    expect(settings.redis.map(({ name }) => name)).toEqual(['cache', 'default']);
  });

  test('a variable and a policy that both define default are a conflict', () => {
    const files = { ...secrets, '/policy.yaml': policy(bothPools.replace('orders', 'default')) };
    expect(faultOf({ ...withPolicy, DATABASE_URL: databaseUrl }, files)).toBe(
      'DATABASE_URL and the policy both define the pool "default": take one of them away',
    );
  });

  test('REDIS_URL=off beats the policy, whose secret is then not read', () => {
    const { '/secrets/redis/url': _, ...files } = secrets;
    expect(read({ ...withPolicy, REDIS_URL: 'off' }, files)).toMatchObject({
      redis: [],
      redisOff: true,
    });
  });

  test('one that names only a Redis needs no DATABASE_URL', () => {
    const files = {
      ...secrets,
      '/policy.yaml': policy(bothPools.replace(/ {2}postgres:[^]*?(?= {2}redis)/, '')),
    };
    expect(read(withPolicy, files)).toMatchObject({ postgres: [], redis: [{ name: 'cache' }] });
  });

  test('one that names no pool leaves DATABASE_URL needed', () => {
    const files = { '/policy.yaml': policy('  mode: Enforce\n') };
    expect(faultOf(withPolicy, files)).toMatch(/^DATABASE_URL is missing/);
  });

  test('a shadow policy opens no pool', () => {
    const files = { ...secrets, '/policy.yaml': policy(`  mode: Shadow\n${bothPools}`) };
    expect(read({ ...withPolicy, ...urls }, files).postgres.map(({ name }) => name)).toEqual([
      'default',
    ]);
  });

  test('lines are counted from the top of the file', () => {
    const files = { '/policy.yaml': `\n\n${policy('  mode: Off\n')}` };
    expect(faultOf(withPolicy, files)).toContain('/policy.yaml:8:3: ');
  });

  test.each([
    [{}, 'HOLDFAST_POLICY_FILE /policy.yaml cannot be read (ENOENT)'],
    [
      { '/policy.yaml': policy('  mode: Off\n') },
      'HOLDFAST_POLICY_FILE /policy.yaml:6:3: spec.mode must be Enforce or Shadow',
    ],
    [
      { '/policy.yaml': policy('  mode: Off\n  a: 1\n  b: 1\n') },
      'HOLDFAST_POLICY_FILE /policy.yaml:6:3: spec.mode must be Enforce or Shadow (and 2 more)',
    ],
    [
      { '/policy.yaml': policy(bothPools) },
      'secret of postgres pool "orders": /secrets/postgres/url cannot be read (ENOENT)',
    ],
    [
      { ...secrets, '/secrets/postgres/url': 'postgresql://app:s3cret@db:99999/orders' },
      '/secrets/postgres/url has a bad port: it is a number from 1 to 65535',
    ],
    [
      { ...secrets, '/secrets/redis/url': 'http://x:s3cret@y' },
      '/secrets/redis/url has a scheme other than redis:// or rediss:// or redis+sentinel:// or rediss+sentinel:// or redis+cluster:// or rediss+cluster://: write it as redis://user:password@host:6379/0',
    ],
  ])('%#', (files, fault) => {
    expect(faultOf(withPolicy, files as Record<string, string>)).toBe(fault);
  });
});

describe('TLS', () => {
  const tls = (block: string): string =>
    policy(
      `  postgres:\n    - name: orders\n      secretRef: { name: postgres }\n      tls: ${block}\n  redis:\n    - name: cache\n      secretRef: { name: redis }\n      tls: ${block}\n`,
    );
  const files = (block: string, more: Readonly<Record<string, string>> = {}) => ({
    ...secrets,
    '/policy.yaml': tls(block),
    '/secrets/ca/ca.crt': 'PEM\n',
    ...more,
  });
  const tlsOf = (settings: Settings): unknown[] => [
    settings.postgres[0]?.connection.tls,
    settings.redis[0]?.connection.tls,
  ];

  test('the policy decides where the URL is silent', () => {
    expect(tlsOf(read(withPolicy, files('{ mode: Require }')))).toEqual([
      { rejectUnauthorized: false },
      { rejectUnauthorized: false },
    ]);
    expect(tlsOf(read(withPolicy, files('{}')))).toEqual([
      { rejectUnauthorized: true },
      { rejectUnauthorized: true },
    ]);
    expect(tlsOf(read(withPolicy, files('{ caSecretRef: { name: ca } }')))).toEqual([
      { rejectUnauthorized: true, ca: 'PEM\n' },
      { rejectUnauthorized: true, ca: 'PEM\n' },
    ]);
  });

  test('the URL decides where the policy is silent', () => {
    const env = { REDIS_URL: 'off' };
    const tlsWith = (options: string, more: Readonly<Record<string, string>> = {}): unknown =>
      read({ ...env, DATABASE_URL: `${databaseUrl}${options}` }, more).postgres[0]?.connection.tls;
    expect(tlsWith('?sslmode=disable')).toBeUndefined();
    expect(tlsWith('?sslmode=require')).toEqual({ rejectUnauthorized: false });
    expect(tlsWith('?sslmode=verify-full')).toEqual({ rejectUnauthorized: true });
    expect(tlsWith('?sslmode=verify-full&sslrootcert=%2Fca.pem', { '/ca.pem': 'PEM' })).toEqual({
      rejectUnauthorized: true,
      ca: 'PEM',
    });
  });

  test('they must not contradict each other', () => {
    expect(
      faultOf(
        withPolicy,
        files('{}', { '/secrets/postgres/url': `${databaseUrl}?sslmode=disable` }),
      ),
    ).toBe(
      '/secrets/postgres/url has an sslmode that differs from the policy\'s tls.mode VerifyFull of postgres pool "orders": take one of them away',
    );
    expect(faultOf(withPolicy, files('{}', { '/secrets/redis/url': 'redis://r' }))).toBe(
      '/secrets/redis/url is redis://, but the policy\'s tls.mode of redis pool "cache" is VerifyFull: make them agree',
    );
    expect(faultOf(withPolicy, files('{ mode: Disable }'))).toBe(
      '/secrets/redis/url is rediss://, but the policy\'s tls.mode of redis pool "cache" is Disable: make them agree',
    );
  });

  test('connect_timeout of the URL goes before the policy', () => {
    const more = { '/secrets/postgres/url': `${databaseUrl}?connect_timeout=3` };
    expect(read(withPolicy, { ...secrets, ...more }).postgres[0]?.pool.connectTimeoutMs).toBe(
      3_000,
    );
  });
});

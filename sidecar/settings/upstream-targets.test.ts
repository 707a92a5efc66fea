import { expect, test } from 'vitest';
import { policySchema } from '../../crds/resilience-policy.ts';
import { AbsentTargets } from './absent-targets.ts';
import { policyUpstreams } from './upstream-targets.ts';

const policyOf = (upstream: object, mode = 'Enforce') =>
  policySchema.parse({
    apiVersion: 'resilience.holdfast.dev/v1alpha1',
    kind: 'ResiliencePolicy',
    metadata: { name: 'test' },
    spec: { mode, targets: [{ kind: 'Upstream', name: 'api', upstream }] },
  });

const files = new Map([
  ['/secrets/api/token', 's3cret\n'],
  ['/secrets/crlf/token', 's3cret\r\n'],
  ['/secrets/ca/ca.crt', 'PEM'],
]);

const sources = {
  absent: new AbsentTargets(() => false),
  secretsDir: '/secrets',
  readFile: (path: string) => {
    const text = files.get(path);
    if (text === undefined) throw Object.assign(new Error('none'), { code: 'ENOENT' });
    return text;
  },
};

test('an upstream has its defaults, its secrets and its authority', () => {
  const upstream = {
    baseUrl: 'https://api.example.com/v1',
    headers: [
      { name: 'authorization', value: 'Bearer ', secretRef: { name: 'api' } },
      { name: 'x-key', secretRef: { name: 'crlf' } },
      { name: 'user-agent', value: 'orders' },
    ],
    tls: { caSecretRef: { name: 'ca' } },
  };
  expect(policyUpstreams([policyOf(upstream)], sources)).toEqual([
    {
      name: 'api',
      baseUrl: 'https://api.example.com/v1',
      headers: [
        { name: 'authorization', value: 'Bearer s3cret' },
        { name: 'x-key', value: 's3cret' },
        { name: 'user-agent', value: 'orders' },
      ],
      http2: true,
      maxConnections: 32,
      connectTimeoutMs: 5_000,
      idleTimeoutMs: 60_000,
      maxResponseBytes: 16 * 1024 * 1024,
      tls: { rejectUnauthorized: true, ca: 'PEM' },
      fallback: undefined,
    },
  ]);
});

test('a policy in shadow mode calls nobody', () => {
  expect(policyUpstreams([policyOf({ baseUrl: 'http://a' }, 'Shadow')], sources)).toEqual([]);
});

test.each([
  [
    { baseUrl: 'http://a', headers: [{ name: 'x-key', secretRef: { name: 'gone' } }] },
    'secret of upstream "api": /secrets/gone/token cannot be read (ENOENT)',
  ],
  [{ baseUrl: 'http://a:99999' }, 'baseUrl of upstream "api" is no URL: http://a:99999'],
])('settings that cannot be used say why', (upstream, fault) => {
  expect(() => policyUpstreams([policyOf(upstream)], sources)).toThrow(fault);
});

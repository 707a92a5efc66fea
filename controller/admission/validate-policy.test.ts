import { expect, test } from 'vitest';
import { apiVersion, policyKind } from '../../crds/resilience-policy.ts';
import type { AdmissionRequest, Verdict } from './admission-review.ts';
import type { StoredPolicy } from './stored-policies.ts';
import { policyValidation, type PolicyValidationParts } from './validate-policy.ts';

const { signal } = new AbortController();
const author = { username: 'dora', groups: ['developers'] };

const policy = (
  spec: object,
  metadata: object = {},
): StoredPolicy & { apiVersion: string; kind: string } => ({
  apiVersion,
  kind: policyKind,
  metadata: { name: 'orders', namespace: 'shop', ...metadata },
  spec,
});
const database = (secret: string, more: object = {}): object => ({
  postgres: [{ name: 'default', secretRef: { name: secret }, ...more }],
});
const upstream = (baseUrl: string, secret: string): object => ({
  targets: [
    {
      kind: 'Upstream',
      name: 'api',
      upstream: { baseUrl, headers: [{ name: 'authorization', secretRef: { name: secret } }] },
    },
  ],
});

/** Asks with an author who may read the secrets `readable`; says what was asked of the API server, too. */
async function ask(
  request: Partial<AdmissionRequest>,
  {
    readable = [],
    ...parts
  }: Partial<PolicyValidationParts> & { readable?: readonly string[] } = {},
): Promise<Verdict & { readonly asked: readonly string[] }> {
  const asked: string[] = [];
  const handler = policyValidation({
    policiesIn: () => [],
    budget: () => undefined,
    mayGetSecret: async ({ username }, namespace, secret) => {
      asked.push(`${username} ${namespace}/${secret}`);
      return readable.includes(secret);
    },
    trustedUsers: ['system:serviceaccount:holdfast-system:holdfast-controller'],
    ...parts,
  });
  const whole = { uid: '1', operation: 'CREATE', namespace: 'shop', userInfo: author } as const;
  return { ...(await handler({ ...whole, ...request }, signal)), asked };
}

const update = (before: object, after: object, readable: readonly string[] = []) =>
  ask({ operation: 'UPDATE', oldObject: policy(before), object: policy(after) }, { readable });

test('an author who may get the secret is let through', async () => {
  const verdict = await ask({ object: policy(database('db')) }, { readable: ['db'] });
  expect(verdict).toMatchObject({ allowed: true, warnings: [], asked: ['dora shop/db'] });
});

test('an author who may not is told which secret and which right', async () => {
  const { refusal } = await ask({ object: policy(database('db')) });
  expect(refusal).toEqual({
    code: 403,
    message:
      'spec.postgres[0].secretRef names the Secret "db": "dora" may name it in a policy only with the right to get secrets/db in namespace "shop"',
  });
});

test('each secret is asked about once, and all that are denied are named', async () => {
  const ca = { tls: { caSecretRef: { name: 'ca' } } };
  const spec = { ...database('db', ca), redis: [{ name: 'default', secretRef: { name: 'db' } }] };
  const { refusal, asked } = await ask({ object: policy(spec) });
  expect(asked).toEqual(['dora shop/db', 'dora shop/ca']);
  expect(refusal?.message).toContain('get secrets/db, secrets/ca in');
});

test('a change that leaves the secrets alone needs no right', async () => {
  const more = { pool: { max: 20 } };
  expect(await update(database('db'), database('db', more))).toMatchObject({
    allowed: true,
    asked: [],
  });
});

test.each([
  ['another secret', database('db'), database('other'), 'other'],
  [
    'another key of the same',
    database('db'),
    database('db', { secretRef: { name: 'db', key: 'x' } }),
    'db',
  ],
  [
    'less protection on the way',
    database('db'),
    database('db', { tls: { mode: 'Disable' } }),
    'db',
  ],
  [
    'another server',
    upstream('https://a.example', 'db'),
    upstream('https://evil.example', 'db'),
    'db',
  ],
])('%s needs the right', async (_title, before, after, secret) => {
  expect(await update(before, after)).toMatchObject({
    allowed: false,
    asked: [`dora shop/${secret}`],
  });
  expect(await update(before, after, [secret])).toMatchObject({ allowed: true });
});

test.each(['system:serviceaccount:holdfast-system:holdfast-controller'])(
  '%s passes',
  async (username) => {
    const verdict = await ask({ object: policy(database('db')), userInfo: { username } });
    expect(verdict).toMatchObject({ allowed: true, asked: [] });
  },
);

test('a finalizer or a label changes nothing that is looked at', async () => {
  const before = policy({ nonsense: true });
  const after = policy({ nonsense: true }, { labels: { team: 'shop' } });
  const verdict = await ask({ operation: 'UPDATE', oldObject: before, object: after });
  expect(verdict.allowed).toBe(true);
});

test('what the sidecar would refuse is refused, by field', async () => {
  const pool = { min: 20, max: 10 };
  const { refusal } = await ask({ object: policy(database('db', { pool })) }, { readable: ['db'] });
  expect(refusal).toEqual({
    code: 422,
    message: 'spec.postgres[0].pool.min must be at most max (10)',
  });
});

test('a policy whose name the API server makes up later is looked at like any other', async () => {
  const object = { apiVersion, kind: policyKind, metadata: { generateName: 'p-' }, spec: {} };
  expect(await ask({ object, name: '' })).toMatchObject({ allowed: true });
});

test('when nobody can be asked the review fails', async () => {
  const mayGetSecret = (): Promise<boolean> => Promise.reject(new Error('away'));
  await expect(ask({ object: policy(database('db')) }, { mayGetSecret })).rejects.toThrow('away');
});

const others = [
  policy(database('db'), { name: 'older', creationTimestamp: '2026-01-01T00:00:00Z', uid: 'a' }),
  policy(
    { ...database('db'), selector: { matchLabels: { app: 'reports' } } },
    { name: 'reports', creationTimestamp: '2026-01-01T00:00:00Z', uid: 'b' },
  ),
  policy({ ...database('db'), mode: 'Shadow' }, { name: 'shadow', uid: 'c' }),
  policy({ nonsense: true }, { name: 'broken', uid: 'd' }),
];

test('who says what an older policy says is warned, but for pods that cannot be the same', async () => {
  const spec = { ...database('db'), selector: { matchLabels: { app: 'orders' } } };
  const { warnings } = await ask(
    { object: policy(spec) },
    { readable: ['db'], policiesIn: () => others },
  );
  expect(warnings).toEqual([
    'spec.postgres[0].name: the older policy "older" has it too, and stands where both select a pod',
  ]);
});

const newer = policy(database('db'), {
  name: 'newer',
  creationTimestamp: '2026-01-01T00:00:00Z',
  uid: 'a',
});

test('the older policy is warned of the younger that it pushes aside', async () => {
  const metadata = { creationTimestamp: '2025-01-01T00:00:00Z', uid: 'z' };
  const { warnings } = await ask(
    {
      operation: 'UPDATE',
      oldObject: policy({}, metadata),
      object: policy(database('db'), metadata),
    },
    { readable: ['db'], policiesIn: () => [newer] },
  );
  expect(warnings).toEqual([
    'spec.postgres[0].name: the younger policy "newer" has it too, and stands no more where both select a pod',
  ]);
});

test('a policy is no conflict with what it was before', async () => {
  const { warnings } = await ask(
    { object: policy(database('db')) },
    { readable: ['db'], policiesIn: () => [policy(database('db'))] },
  );
  expect(warnings).toEqual([]);
});

const budget = (namespaces: object): object => ({
  apiVersion,
  kind: 'ConnectionBudget',
  metadata: { name: 'main' },
  spec: { total: 100, namespaces },
});

test.each([
  ['does not exist', undefined, ['does not exist, and the policy waits for it']],
  ['is for others', budget({ names: ['billing'] }), ['is not for namespace "shop"']],
  ['is ours', budget({ names: ['shop'] }), []],
  ['goes by labels', budget({ selector: { matchLabels: { team: 'a' } } }), []],
  ['cannot be read', budget({ names: 7 }), ['is not valid']],
])('a budget that %s', async (_title, stored, expected) => {
  const object = policy(database('db', { budgetRef: { name: 'main' } }));
  const { warnings } = await ask({ object }, { readable: ['db'], budget: () => stored });
  expect(warnings).toEqual(
    expected.map((text) => `spec.postgres[0].budgetRef: ConnectionBudget "main" ${text}`),
  );
});

import { expect, test } from 'vitest';
import { z } from 'zod';
import { injectionSettings } from './admission/golden.test-kit.ts';
import { injectionVariables, webhookSettingsOf } from './injection-variables.ts';

const schema = z.object(injectionVariables);
const settings = (env: Readonly<Record<string, string>> = {}) =>
  webhookSettingsOf(schema.parse(env), 'holdfast-system', 'holdfast-controller');

test('without variables it is as the golden cases have it', () => {
  const { injection, servingNames, tlsDir } = settings();
  const { reservedNamespaces, ...rest } = injectionSettings;
  expect(injection).toMatchObject(rest);
  expect(injection.reservedNamespaces).toEqual(expect.arrayContaining([...reservedNamespaces]));
  expect(servingNames).toEqual([
    'holdfast-controller.holdfast-system.svc',
    'holdfast-controller.holdfast-system.svc.cluster.local',
  ]);
  expect(tlsDir).toBeUndefined();
});

test('the namespace of the controller is reserved whatever the list says', () => {
  const { injection } = settings({ HOLDFAST_CONTROLLER_RESERVED_NAMESPACES: 'db,holdfast-system' });
  expect(injection.reservedNamespaces).toEqual(['db', 'holdfast-system']);
});

test('where the cluster chooses the user, none is asked for', () => {
  const { injection } = settings({ HOLDFAST_CONTROLLER_SIDECAR_USER: 'namespace' });
  expect(injection.runAsUser).toBeUndefined();
});

test('a request above its limit is refused with both names', () => {
  expect(() => settings({ HOLDFAST_CONTROLLER_SIDECAR_MEMORY: '1Gi' })).toThrow(
    'HOLDFAST_CONTROLLER_SIDECAR_MEMORY must be at most HOLDFAST_CONTROLLER_SIDECAR_MEMORY_LIMIT (256Mi)',
  );
});

test.each([
  ['HOLDFAST_CONTROLLER_SIDECAR_USER', '0'],
  ['HOLDFAST_CONTROLLER_SIDECAR_CPU', 'fast'],
  ['HOLDFAST_CONTROLLER_SIDECAR_IMAGE', 'two words'],
  ['HOLDFAST_CONTROLLER_ADDRESS', 'nowhere'],
  ['HOLDFAST_CONTROLLER_TLS_DIR', 'relative'],
  ['HOLDFAST_CONTROLLER_RESERVED_NAMESPACES', 'a,,b'],
  ['HOLDFAST_CONTROLLER_WEBHOOK_NAME', 'Big'],
])('%s cannot be %j', (name, value) => {
  expect(schema.safeParse({ [name]: value }).success).toBe(false);
});

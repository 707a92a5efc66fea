import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readSettings, SettingsError } from './config.ts';

let folder: string;
let kubeconfig: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'hf-'));
  kubeconfig = join(folder, 'kubeconfig');
  writeFileSync(kubeconfig, '');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const read = (env: Readonly<Record<string, string>> = {}) =>
  readSettings({ HOLDFAST_CONTROLLER_KUBECONFIG: kubeconfig, ...env });

test('without settings there are the defaults', () => {
  expect(read()).toMatchObject({
    cluster: { kind: 'kubeconfig', path: kubeconfig },
    namespace: 'holdfast-system',
    webhooks: {
      servingNames: [
        'holdfast-controller.holdfast-system.svc',
        'holdfast-controller.holdfast-system.svc.cluster.local',
      ],
      serviceAccount: { namespace: 'holdfast-system', name: 'holdfast-controller' },
      injection: {
        controllerAddress: 'holdfast-controller.holdfast-system.svc:8443',
        reservedNamespaces: ['kube-system', 'kube-public', 'kube-node-lease', 'holdfast-system'],
        runAsUser: 65_532,
      },
    },
    leaseName: 'holdfast-controller',
    discoveryPort: 8443,
    webhookPort: 9443,
    httpPort: 9464,
    relistMs: 600_000,
    advertiseHost: undefined,
  });
});

test('what Kubernetes says of the Service of the same name is no setting', () => {
  const links = {
    HOLDFAST_CONTROLLER_SERVICE_HOST: '10.96.7.7',
    HOLDFAST_CONTROLLER_SERVICE_PORT: '8443',
    HOLDFAST_CONTROLLER_SERVICE_PORT_DISCOVERY: '8443',
    HOLDFAST_CONTROLLER_PORT: 'tcp://10.96.7.7:8443',
    HOLDFAST_CONTROLLER_PORT_8443_TCP: 'tcp://10.96.7.7:8443',
    HOLDFAST_CONTROLLER_PORT_8443_TCP_ADDR: '10.96.7.7',
  };
  expect(read(links)).toEqual(read());
});

test.each([
  [
    { HOLDFAST_CONTROLLER_NAMESPCE: 'x' },
    'HOLDFAST_CONTROLLER_NAMESPCE is no setting: is HOLDFAST_CONTROLLER_NAMESPACE meant?',
  ],
  [
    { HOLDFAST_CONTROLLER_WEBHOOK_PORT: '99999' },
    'HOLDFAST_CONTROLLER_WEBHOOK_PORT must be a whole number from 0 to 65535',
  ],
  [
    { HOLDFAST_CONTROLLER_LEASE_NAME: '' },
    'HOLDFAST_CONTROLLER_LEASE_NAME is empty: give it a value or leave it out',
  ],
  [
    { HOLDFAST_CONTROLLER_NAMESPACE: 'Holdfast/System' },
    'HOLDFAST_CONTROLLER_NAMESPACE must be a name as Kubernetes has them',
  ],
  [
    { HOLDFAST_CONTROLLER_KUBECONFIG: '/nowhere' },
    'HOLDFAST_CONTROLLER_KUBECONFIG /nowhere does not exist',
  ],
  [
    { HOLDFAST_CONTROLLER_SIDECAR_MEMORY: '1Gi' },
    'HOLDFAST_CONTROLLER_SIDECAR_MEMORY must be at most HOLDFAST_CONTROLLER_SIDECAR_MEMORY_LIMIT (256Mi)',
  ],
])('%j is refused with what to do', (env, message) => {
  expect(() => read(env)).toThrow(new SettingsError(message));
});

test('outside of pods it says that a kubeconfig is missing', () => {
  expect(() => readSettings({})).toThrow(/^HOLDFAST_CONTROLLER_KUBECONFIG is missing/);
});

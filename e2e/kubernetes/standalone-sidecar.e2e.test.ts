import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type HostServers, startHostServers } from './host-servers.test-kit.ts';
import { type TestNamespace, testNamespace } from './namespace.test-kit.ts';
import { surroundings } from './surroundings.ts';

let servers: HostServers;
let namespace: TestNamespace;
beforeAll(async () => {
  [servers, namespace] = await Promise.all([startHostServers(), testNamespace()]);
});
afterAll(async () => {
  await namespace?.remove();
  await servers?.stop();
});

const text = (path: string): string => readFileSync(new URL(path, import.meta.url), 'utf8');

const object = (kind: string, name: string, content: object): Promise<void> =>
  namespace.apply(JSON.stringify({ apiVersion: 'v1', kind, metadata: { name }, ...content }));

test('the image of the sidecar takes a container of its pod to PostgreSQL and Redis of this machine', async () => {
  await object('Secret', 'postgres', { stringData: { url: servers.postgresUrl } });
  await object('Secret', 'redis', { stringData: { url: servers.redisUrl } });
  const policy = text('../../examples/policies/default.yaml');
  await object('ConfigMap', 'policy', { data: { 'policy.yaml': policy } });
  await object('ConfigMap', 'script', { data: { 'ask.ts': text('fixtures/ask.ts') } });
  const { sidecarImage } = surroundings();
  await namespace.apply(text('fixtures/standalone.yaml').replaceAll('SIDECAR_IMAGE', sidecarImage));

  const phase = await namespace.eventually('the pod has ended', async () => {
    const said = await namespace.kubectl('get', 'pod/standalone', '-o', 'jsonpath={.status.phase}');
    return ['Succeeded', 'Failed'].includes(said) && said;
  });
  const said = await namespace.kubectl('logs', 'standalone', '--container=app');
  expect(said).toBe('PostgreSQL: postgres!\nRedis: yes\n');
  expect(phase).toBe('Succeeded');
});

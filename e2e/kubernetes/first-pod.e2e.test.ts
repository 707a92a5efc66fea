import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type HostServers, startHostServers } from './host-servers.test-kit.ts';
import { type TestNamespace, eventually, testNamespace } from './namespace.test-kit.ts';
import { installHoldfast, releaseNamespace, uninstallHoldfast } from './release.test-kit.ts';
import { surroundings } from './surroundings.ts';

let servers: HostServers;
let namespace: TestNamespace;
beforeAll(async () => {
  [servers, namespace] = await Promise.all([startHostServers(), testNamespace()]);
  await installHoldfast();
});
afterAll(async () => {
  await namespace?.remove();
  await uninstallHoldfast();
  await servers?.stop();
});

const text = (path: string): string => readFileSync(new URL(path, import.meta.url), 'utf8');

const object = (kind: string, name: string, content: object): Promise<void> =>
  namespace.apply(JSON.stringify({ apiVersion: 'v1', kind, metadata: { name }, ...content }));

/** Says with the controller's logs beside the app's why it took too long. */
const until = <Value>(what: string, attempt: () => Promise<Value | false>): Promise<Value> =>
  eventually(what, attempt, {
    limitMs: 90_000,
    namespaces: [namespace.name, releaseNamespace],
  });

test('a labelled Deployment runs with sidecars under its policy, and its app is answered by PostgreSQL and Redis', async () => {
  await object('Secret', 'postgres', { stringData: { url: servers.postgresUrl } });
  await object('Secret', 'redis', { stringData: { url: servers.redisUrl } });
  await object('ConfigMap', 'script', { data: { 'ask.ts': text('fixtures/ask.ts') } });
  await namespace.apply(text('../../examples/policies/default.yaml'));
  const { sidecarImage } = surroundings();
  await namespace.apply(text('fixtures/injected.yaml').replaceAll('SIDECAR_IMAGE', sidecarImage));

  await until('it has rolled out', () =>
    namespace.kubectl('rollout', 'status', 'deployment/injected', '--timeout=5s'),
  );
  const pods = await namespace.kubectl('get', 'pods', '--selector=app=injected', '-o', 'name');
  const names = pods.trim().split('\n');
  expect(names).toHaveLength(2);
  for (const pod of names) {
    const containers = ['get', pod, '-o', 'jsonpath={.spec.initContainers[*].name}'];
    expect(await namespace.kubectl(...containers)).toBe('holdfast');
    const ask = 'process.stdout.write(await (await fetch("http://127.0.0.1:8080/")).text())';
    const program = ['/usr/bin/node', '--input-type=module', '-e', ask];
    const said = await namespace.kubectl('exec', pod, '-c', 'app', '--', ...program);
    expect(said).toBe('PostgreSQL: postgres!\nRedis: yes\n');
  }

  const programmed = await until('the policy is programmed', async () => {
    const said = await namespace.kubectl('get', 'rp/default', '-o', 'json');
    const { status } = JSON.parse(said) as { status?: { conditions?: Condition[] } };
    const found = status?.conditions?.find(({ type }) => type === 'Programmed');
    return found?.status === 'True' && found;
  });
  expect(programmed.message).toContain('2');
});

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly message: string;
}

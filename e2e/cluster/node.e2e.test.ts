import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type TestNamespace, kubectl, testNamespace } from '../kubernetes/namespace.test-kit.ts';
import { surroundings } from '../kubernetes/surroundings.ts';

let namespace: TestNamespace;
beforeAll(async () => {
  namespace = await testNamespace();
  await namespace.apply(fixture('web'));
  await namespace.apply(fixture('client'));
});
afterAll(() => namespace?.remove());

const fixture = (name: string, more: Readonly<Record<string, string>> = {}): string => {
  const file = fileURLToPath(new URL(`fixtures/${name}.yaml`, import.meta.url));
  const values = { FIXTURES_IMAGE: surroundings().fixturesImage, ...more };
  return Object.entries(values).reduce(
    (text, [word, value]) => text.replaceAll(word, value),
    readFileSync(file, 'utf8'),
  );
};

const inClient = (...args: string[]): Promise<string> =>
  namespace.kubectl('exec', 'client', '--', '/usr/bin/node', ...args);

const rolledOut = (deployment: string): Promise<unknown> =>
  namespace.eventually(`${deployment} has rolled out`, () =>
    namespace.kubectl('rollout', 'status', `deployment/${deployment}`, '--timeout=5s'),
  );

test('an app talks to its native sidecar over a socket in an emptyDir, and pods find it by its Service', async () => {
  await rolledOut('web');
  const said = await namespace.eventually('the Service answers', () =>
    inClient('/app/fetch.ts', `http://web.${namespace.name}.svc.cluster.local/`),
  );
  expect(said).toBe('app: hello from the sidecar');
});

test('a sidecar that was killed starts again, alone', async () => {
  await rolledOut('web');
  const pod = await namespace.kubectl('get', 'pods', '--selector=app=web', '--output=name');
  const field = (path: string): Promise<string> =>
    namespace.kubectl('get', pod.trim(), `--output=jsonpath={.status.${path}}`);
  const kill = ['/usr/bin/node', '-e', 'process.kill(1)'];
  // Its own end may cut the answer.
  await namespace.kubectl('exec', pod.trim(), '-c', 'sidecar', '--', ...kill).catch(() => '');
  await namespace.eventually(
    'the sidecar has started again',
    async () => (await field('initContainerStatuses[0].restartCount')) === '1',
  );
  await namespace.eventually('the app answers', () => inClient('/app/fetch.ts', 'http://web/'));
  expect(await field('containerStatuses[0].restartCount')).toBe('0');
});

test('a Job with a native sidecar completes', async () => {
  await namespace.apply(fixture('job'));
  await namespace.eventually('the Job is complete', () =>
    namespace.kubectl('wait', '--for=condition=Complete', 'job/job', '--timeout=5s'),
  );
  expect(await namespace.kubectl('logs', 'job/job', '--container=work')).toBe(
    'hello from the sidecar',
  );
});

test('a projected token passes a review of its own audience, and of no other', async () => {
  const token = await namespace.eventually('the pod has its token', () =>
    inClient('-p', 'fs.readFileSync("/token/token", "utf8")'),
  );
  const review = async (audience: string): Promise<string> => {
    const spec = { token: token.trim(), audiences: [audience] };
    const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec };
    return kubectl(['create', '-f', '-', '-o', 'jsonpath={.status}'], JSON.stringify(body));
  };
  const user = `"username":"system:serviceaccount:${namespace.name}:default"`;
  expect(await review('holdfast-e2e')).toContain(user);
  expect(await review('holdfast-e2e')).toContain(
    '"authentication.kubernetes.io/pod-name":["client"]',
  );
  expect(await review('another')).not.toContain('"authenticated":true');
});

test('the API server calls a webhook by its Service', async () => {
  const { key, certificate } = makeCertificate(`webhook.${namespace.name}.svc`);
  await namespace.apply(
    JSON.stringify({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'webhook' },
      type: 'kubernetes.io/tls',
      stringData: { 'tls.key': key, 'tls.crt': certificate },
    }),
  );
  const bundle = Buffer.from(certificate).toString('base64');
  await namespace.apply(fixture('webhook', { NAMESPACE: namespace.name, CA_BUNDLE: bundle }));
  try {
    await rolledOut('webhook');
    const metadata = { name: 'marked', namespace: namespace.name, labels: { fixture: 'marked' } };
    const map = JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { a: 'b' } });
    const data = await namespace.eventually('the webhook is called', () =>
      kubectl(['create', '-f', '-', '-o', 'jsonpath={.data}'], map),
    );
    expect(JSON.parse(data)).toEqual({ a: 'b', marked: 'yes' });
  } finally {
    await kubectl(['delete', 'mutatingwebhookconfiguration', 'holdfast-e2e-fixture']);
  }
});

test('a pod reaches servers of the machine', async () => {
  const server = createServer((_, answer) => answer.end('hello from the machine'));
  await new Promise<void>((resolve) => server.listen(0, surroundings().host, resolve));
  const { port } = server.address() as AddressInfo;
  try {
    const said = await namespace.eventually('the machine answers', () =>
      inClient('/app/fetch.ts', `http://${surroundings().host}:${port}/`),
    );
    expect(said).toBe('hello from the machine');
  } finally {
    server.close();
  }
});

test('a PodDisruptionBudget refuses an eviction', async () => {
  await rolledOut('web');
  const pod = await namespace.kubectl('get', 'pods', '--selector=app=web', '--output=name');
  const name = pod.trim().replace('pod/', '');
  const path = `/api/v1/namespaces/${namespace.name}/pods/${name}/eviction`;
  const eviction = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name } };
  const evict = (): Promise<string> =>
    kubectl(['create', '--raw', path, '-f', '-'], JSON.stringify(eviction));
  await expect(evict()).rejects.toThrow('disruption budget');
});

function makeCertificate(name: string): { key: string; certificate: string } {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-webhook-'));
  const [key, certificate] = [join(folder, 'key'), join(folder, 'crt')];
  const line = 'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2';
  const subject = ['-subj', `/CN=webhook`, '-addext', `subjectAltName=DNS:${name}`];
  execFileSync('openssl', [...line.split(' '), ...subject, '-keyout', key, '-out', certificate], {
    stdio: 'ignore',
  });
  const made = { key: readFileSync(key, 'utf8'), certificate: readFileSync(certificate, 'utf8') };
  rmSync(folder, { recursive: true });
  return made;
}

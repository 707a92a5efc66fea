import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { apiVersion, policyKind } from '../../crds/resilience-policy.ts';
import { noClusterReason } from '../../e2e/cluster/test-cluster.ts';
import { systemClock } from '../../platform/clock.ts';
import { FaultProxy } from '../../scripts/faults/fault-proxy.ts';
import { openKubeApi } from './api.ts';
import { type ApiServer, apiServer, eventually } from './api-server.test-kit.ts';
import { eventRecorder } from './events.ts';
import { listWatch } from './list-watch.ts';
import { objectsOf } from './objects.ts';
import { type KubeObject, pathOf, resources } from './resource.ts';
import { mayDo, reviewToken } from './reviews.ts';
import { secretStore } from './secret-store.ts';
import { watchCache } from './watch.ts';

const skipped = noClusterReason();
const namespace = 'holdfast-kube-test';

describe.skipIf(skipped !== undefined)(`a real API server${skipped ?? ''}`, () => {
  let server: ApiServer;
  beforeAll(async () => {
    server = await apiServer(namespace);
  });
  afterAll(() => server?.stop());

  const configMap = (name: string, data: object, labels = {}): KubeObject & { data: object } => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, namespace, labels },
    data,
  });
  const put = (name: string, data: object, labels?: object): Promise<unknown> =>
    objectsOf(server.api).apply(configMap(name, data, labels));
  const remove = (name: string): Promise<unknown> =>
    objectsOf(server.api).remove(configMap(name, {}));

  describe('a cache', () => {
    type ConfigMap = KubeObject & { readonly data: Readonly<Record<string, string>> };
    const open = (api = server.api, silenceMs = 60_000) => {
      const faults: string[] = [];
      const source = listWatch<ConfigMap>(api, resources.configMaps, {
        namespace,
        labelSelector: 'watched=yes',
      });
      const cache = watchCache({
        source,
        clock: systemClock,
        random: Math.random,
        times: { silenceMs, firstBackoffMs: 50 },
        onFault: ({ message }) => faults.push(message),
      });
      return { cache, faults };
    };
    const watched = { watched: 'yes' };
    const key = (name: string) => `${namespace}/${name}`;

    test('has what its selector selects, as it comes, changes, is no more selected, and goes', async () => {
      await put('there', { a: '1' }, watched);
      const { cache } = open();
      await cache.synced;
      expect(cache.get(key('there'))).toMatchObject({
        apiVersion: 'v1',
        kind: 'ConfigMap',
        data: { a: '1' },
      });
      expect(cache.get(key('there'))?.metadata).not.toHaveProperty('managedFields');
      await put('other', { a: '1' });
      await put('later', { a: '1' }, watched);
      await put('there', { a: '2' }, watched);
      await eventually(() => cache.get(key('there'))?.data['a'] === '2');
      expect(cache.list().map(({ metadata }) => metadata.name)).toEqual(['there', 'later']);
      await put('later', { a: '1' }, { watched: 'no' });
      await remove('there');
      await eventually(() => cache.list().length === 0);
      await cache.stop();
    });

    test('goes on when connections are cut, and when they are silent', async () => {
      const { port } = new URL(server.access.url);
      await using proxy = await FaultProxy.to({ host: '127.0.0.1', port: Number(port) }, 'bytes');
      const url = `https://127.0.0.1:${proxy.port}`;
      const api = openKubeApi({ ...server.access, url }, systemClock);
      const { cache, faults } = open(api, 1_000);
      await cache.synced;
      proxy.cut();
      await put('after-cut', { a: '1' }, watched);
      await eventually(() => cache.get(key('after-cut')) !== undefined);
      expect(faults.length).toBeGreaterThan(0);
      proxy.stall();
      await put('after-silence', { a: '1' }, watched);
      await remove('after-cut');
      // As a firewall does it: what is open stays so and says nothing, what is new passes.
      await eventually(() => faults.includes('a watch was silent and is begun anew'));
      proxy.release();
      await eventually(() => cache.get(key('after-silence')) !== undefined);
      await eventually(() => cache.get(key('after-cut')) === undefined);
      await cache.stop();
      await api.close();
      await remove('after-silence');
    });
  });

  describe('objects', () => {
    const policy = { apiVersion, kind: policyKind, metadata: { name: 'orders', namespace } };

    test('are applied: nothing is sent twice, what is no more wanted goes, others are overruled', async () => {
      const objects = objectsOf(server.api);
      const read = () =>
        objects.get<KubeObject & { data: object }>(resources.configMaps, {
          namespace,
          name: 'applied',
        });
      expect(await objects.apply(configMap('applied', { a: '1', b: '1' }))).toBe(true);
      const stored = await read();
      expect(await objects.apply(configMap('applied', { a: '1', b: '1' }), { stored })).toBe(false);
      await server.api.call({
        method: 'PATCH',
        path: pathOf(resources.configMaps, { namespace, name: 'applied' }),
        query: { fieldManager: 'somebody' },
        contentType: 'application/merge-patch+json',
        body: { data: { a: 'theirs', c: 'theirs' } },
      });
      const changed = await read();
      const wanted = configMap('applied', { a: '1', b: '1' });
      expect(await objects.apply(wanted, { stored: changed })).toBe(true);
      // What was wanted is all there; what is not wanted any more is not seen by looking for what is.
      const fewer = configMap('applied', { a: '1' });
      expect(await objects.apply(fewer, { stored: await read() })).toBe(true);
      expect((await read())?.data).toEqual({ a: '1', c: 'theirs' });
    });

    test('have their status applied, and replaced only by whoever has read it', async () => {
      const objects = objectsOf(server.api);
      const spec = {};
      await server.create(pathOf(resources.policies, { namespace }), { ...policy, spec });
      const status = { observedGeneration: 1 };
      expect(await objects.applyStatus({ ...policy, status })).toBe(true);
      const name = { namespace, name: 'orders' };
      const stored = await objects.get<KubeObject & { status: object }>(resources.policies, name);
      expect(stored?.status).toMatchObject(status);
      expect(await objects.applyStatus({ ...policy, status }, { stored })).toBe(false);
      if (stored === undefined) throw new Error('it is there');
      const next = { ...stored, status: { observedGeneration: 2 } };
      expect(await objects.replaceStatus(next)).toMatchObject({
        outcome: 'written',
        object: { status: { observedGeneration: 2 } },
      });
      expect(await objects.replaceStatus(next)).toEqual({ outcome: 'conflict' });
      expect(await objects.remove({ ...policy, metadata: { ...name, uid: 'another' } })).toBe(
        false,
      );
      expect(await objects.remove(stored)).toBe(true);
      expect(await objects.get(resources.policies, name)).toBeUndefined();
      expect(await objects.replaceStatus(next)).toEqual({ outcome: 'conflict' });
    });
  });

  describe('tokens', () => {
    const audience = 'holdfast-controller';
    let podUid: string;

    const tokenFor = async (audiences: string[], pod = true): Promise<string> => {
      const bound = { apiVersion: 'v1', kind: 'Pod', name: 'app', uid: podUid };
      const { status } = await server.create<{ status: { token: string } }>(
        `/api/v1/namespaces/${namespace}/serviceaccounts/shop/token`,
        {
          apiVersion: 'authentication.k8s.io/v1',
          kind: 'TokenRequest',
          spec: { audiences, ...(pod ? { boundObjectRef: bound } : {}) },
        },
      );
      return status.token;
    };
    const verdict = (token: string) => reviewToken(server.api, audience, token);

    beforeAll(async () => {
      await server.create(`/api/v1/namespaces/${namespace}/serviceaccounts`, {
        apiVersion: 'v1',
        kind: 'ServiceAccount',
        metadata: { name: 'shop' },
      });
      const made = await server.create<KubeObject>(pathOf(resources.pods, { namespace }), {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name: 'app' },
        spec: {
          serviceAccountName: 'shop',
          automountServiceAccountToken: false,
          containers: [{ name: 'app', image: 'app' }],
        },
      });
      podUid = made.metadata.uid ?? '';
    });

    test('say whose pod they are', async () => {
      const answer = await verdict(await tokenFor([audience]));
      expect(answer).toMatchObject({
        pod: { namespace, podName: 'app', podUid, serviceAccount: 'shop' },
      });
      const { expiresAtMs = 0 } = answer as { expiresAtMs?: number };
      expect(expiresAtMs).toBeGreaterThan(Date.now() + 3_000_000);
      expect(expiresAtMs).toBeLessThan(Date.now() + 3_700_000);
    });

    test('are refused when they are forged, of another audience, of no pod, or of a pod that is gone', async () => {
      const good = await tokenFor([audience]);
      const forged = `${good.slice(0, -20)}${'A'.repeat(20)}`;
      expect(await verdict(forged)).toEqual({ refused: 'invalid' });
      expect(await verdict('nonsense')).toEqual({ refused: 'invalid' });
      expect(await verdict(await tokenFor(['somebody-else']))).toEqual({ refused: 'audience' });
      expect(await verdict(await tokenFor([audience], false))).toEqual({ refused: 'not-a-pod' });
      await server.api.call({
        method: 'DELETE',
        path: pathOf(resources.pods, { namespace, name: 'app' }),
        query: { gracePeriodSeconds: 0 },
      });
      await eventually(async () => 'refused' in (await verdict(good)));
      expect(await verdict(good)).toEqual({ refused: 'invalid' });
    });

    test('tell what is missing when a right is', async () => {
      const token = await tokenFor([], false);
      const headers = () => Promise.resolve({ authorization: `Bearer ${token}` });
      const api = openKubeApi({ ...server.access, headers }, systemClock);
      await expect(api.call({ method: 'GET', path: pathOf(resources.pods) })).rejects.toMatchObject(
        {
          status: 403,
          message: `the controller lacks a right: pods is forbidden: User "system:serviceaccount:${namespace}:shop" cannot list resource "pods" in API group "" at the cluster scope`,
        },
      );
      await api.close();
    });

    test('answer what somebody may do', async () => {
      const question = { verb: 'get', resource: 'secrets', namespace, name: 'orders' };
      const ask = (username: string, groups: string[]) =>
        mayDo(server.api, { username, groups }, question);
      expect(await ask('root', ['system:masters'])).toBe(true);
      expect(await ask(`system:serviceaccount:${namespace}:shop`, [])).toBe(false);
    });
  });

  test('events are written once, counted, and bounded', async () => {
    const faults: unknown[] = [];
    const recorder = eventRecorder({
      api: server.api,
      clock: systemClock,
      instance: 'holdfast-controller-0',
      onFault: (fault) => faults.push(fault),
    });
    const policy = {
      apiVersion,
      kind: policyKind,
      metadata: { name: 'orders', namespace, uid: 'c5f0' },
    };
    const said = { type: 'Warning', reason: 'Refused', action: 'Reconcile' } as const;
    const long = 'é'.repeat(2_000);
    for (let i = 0; i < 3; i += 1) recorder.record(policy, { ...said, note: long });
    for (let i = 0; i < 30; i += 1) recorder.record(policy, { ...said, note: `number ${i}` });
    await recorder.stop();
    const events = await objectsOf(server.api).list<
      KubeObject & { note: string; regarding: object; series?: { count: number } }
    >(resources.events, { namespace });
    expect(faults.map(String)).toEqual(['Error: too many events of one object: some are dropped']);
    expect(events).toHaveLength(20);
    const first = events.find(({ note }) => note.startsWith('éé'));
    expect(first?.series?.count).toBe(3);
    expect(first?.note).toMatch(/^é+…$/);
    expect(Buffer.byteLength(first?.note ?? '')).toBeGreaterThan(1_000);
    expect(first?.regarding).toMatchObject({ kind: policyKind, name: 'orders', uid: 'c5f0' });
  });

  test('a Secret is written by whoever has read it last', async () => {
    const store = secretStore(server.api, namespace, 'certificates');
    const signal = new AbortController().signal;
    expect(await store.read(signal)).toBeUndefined();
    const data = { 'tls.crt': 'é', 'tls.key': 'k', 'next.crt': 'n' };
    expect(await store.write(data, undefined, signal)).toBe(true);
    expect(await store.write(data, undefined, signal)).toBe(false);
    const stored = await store.read(signal);
    expect(stored?.data).toEqual(data);
    const less = { 'tls.crt': 'c', 'tls.key': 'k' };
    expect(await store.write(less, stored?.version, signal)).toBe(true);
    expect(await store.write(data, stored?.version, signal)).toBe(false);
    expect((await store.read(signal))?.data).toEqual(less);
  });
});

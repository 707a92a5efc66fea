import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import {
  binariesFolder,
  binaryPath,
  failurePath,
  isBuilt,
  stampPath,
  versions,
} from './binaries.ts';
import { buildBinaries } from './build-binaries.ts';
import { noClusterReason } from './test-cluster.ts';

let cache: string;
beforeEach(() => {
  cache = mkdtempSync(join(tmpdir(), 'holdfast-binaries-'));
  vi.stubEnv('CLUSTER_HOME', undefined);
  vi.stubEnv('E2E_KUBECONFIG', undefined);
  vi.stubEnv('XDG_CACHE_HOME', cache);
  mkdirSync(binariesFolder(), { recursive: true });
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(cache, { recursive: true });
});

const put = (version: string): void => {
  writeFileSync(binaryPath('etcd'), '#!/bin/sh\n');
  chmodSync(binaryPath('etcd'), 0o755);
  writeFileSync(stampPath('etcd'), `${version}\n`);
};

test('programs are in the cache of the user', () => {
  expect(binaryPath('etcd')).toBe(join(cache, 'holdfast-cluster/bin/etcd'));
});

test('a program is built when it is there in the pinned version', async () => {
  expect(isBuilt('etcd')).toBe(false);
  put('3.4.0');
  expect(isBuilt('etcd')).toBe(false);
  put(versions.etcd);
  expect(isBuilt('etcd')).toBe(true);
  expect(await buildBinaries(['etcd'])).toBe(true);
});

test('a build that was interrupted before its stamp is done again', () => {
  put(versions.etcd);
  rmSync(stampPath('etcd'));
  expect(isBuilt('etcd')).toBe(false);
});

test('after a build that failed the tests say so', () => {
  writeFileSync(failurePath(), 'etcd\n');
  expect(noClusterReason(['etcd'])).toContain('building Kubernetes failed');
  put(versions.etcd);
  expect(noClusterReason(['etcd'])).toBeUndefined();
});

test('tests have a cluster when its programs are there, or one is given', () => {
  put(versions.etcd);
  expect(noClusterReason(['etcd'])).toBeUndefined();
  vi.stubEnv('E2E_KUBECONFIG', '/somewhere');
  expect(noClusterReason()).toBeUndefined();
});

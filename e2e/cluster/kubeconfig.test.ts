import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { kubeconfigText, readKubeconfig } from './kubeconfig.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-kubeconfig-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const written = (text: string): string => {
  writeFileSync(join(folder, 'config'), text);
  return join(folder, 'config');
};

test('what is written for kubectl is read the same', () => {
  const access = { url: 'https://127.0.0.1:6443', ca: '-----BEGIN', token: 'secret' };
  expect(readKubeconfig(written(kubeconfigText(access)))).toEqual(access);
});

test('certificates may be in files beside it, and of several contexts the current one counts', () => {
  writeFileSync(join(folder, 'ca.crt'), 'ca');
  const file = written(`current-context: b
contexts:
  - { name: a, context: { cluster: a, user: a } }
  - { name: b, context: { cluster: b, user: b } }
clusters:
  - { name: a, cluster: { server: https://a } }
  - { name: b, cluster: { server: https://b, certificate-authority: ca.crt } }
users:
  - { name: a, user: {} }
  - { name: b, user: { client-certificate-data: Y2VydA==, client-key-data: a2V5 } }
`);
  expect(readKubeconfig(file)).toEqual({ url: 'https://b', ca: 'ca', cert: 'cert', key: 'key' });
});

test('a context that is not there is said', () => {
  const file = written('{ current-context: x, contexts: [], clusters: [], users: [] }');
  expect(() => readKubeconfig(file)).toThrow('has no "x"');
});

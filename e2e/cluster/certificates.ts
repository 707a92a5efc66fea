import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { hostIp, kubernetesServiceIp, nodeName } from './node-place.ts';
import { run } from './tool.ts';

/** No cluster of tests is kept longer. */
const days = 30;

/** Makes `ca`, `apiserver` (each .key and .crt) and `sa.key`, which signs tokens, in a folder. They last a month. */
export function makeCertificates(folder: string): void {
  run('openssl', ['genrsa', '-out', join(folder, 'sa.key'), '2048']);
  makeKey(folder, 'ca');
  const usage = 'keyUsage=critical,keyCertSign,digitalSignature';
  const authority = `-addext basicConstraints=critical,CA:TRUE -addext ${usage}`;
  openssl(folder, `req -x509 -new -subj /CN=holdfast-tests -days ${days} ${authority}`, {
    key: 'ca.key',
    out: 'ca.crt',
  });
  const service = ['kubernetes', 'kubernetes.default', 'kubernetes.default.svc'];
  const names = ['localhost', ...service, 'kubernetes.default.svc.cluster.local'];
  issue(folder, 'apiserver', '/CN=apiserver', 'serverAuth', [
    ...names.map((name) => `DNS:${name}`),
    ...['127.0.0.1', hostIp, kubernetesServiceIp].map((address) => `IP:${address}`),
  ]);
}

/** Makes besides `kubelet-client`, with which the API server calls the kubelet, and `kubelet-server`. */
export function makeKubeletCertificates(folder: string): void {
  issue(folder, 'kubelet-client', '/O=system:masters/CN=kubelet-client', 'clientAuth');
  issue(folder, 'kubelet-server', `/O=system:nodes/CN=system:node:${nodeName}`, 'serverAuth', [
    `DNS:${nodeName}`,
    `IP:${hostIp}`,
  ]);
}

function issue(
  folder: string,
  name: string,
  subject: string,
  usage: 'serverAuth' | 'clientAuth',
  names: readonly string[] = [],
): void {
  makeKey(folder, name);
  openssl(folder, `req -new -subj ${subject}`, { key: `${name}.key`, out: `${name}.csr` });
  const extensions = [
    'keyUsage=critical,digitalSignature',
    `extendedKeyUsage=${usage}`,
    ...(names.length === 0 ? [] : [`subjectAltName=${names.join(',')}`]),
  ];
  writeFileSync(join(folder, `${name}.ext`), extensions.join('\n'));
  openssl(folder, `x509 -req -CAcreateserial -days ${days}`, {
    in: `${name}.csr`,
    CA: 'ca.crt',
    CAkey: 'ca.key',
    extfile: `${name}.ext`,
    out: `${name}.crt`,
  });
}

const makeKey = (folder: string, name: string): void =>
  openssl(folder, 'ecparam -name prime256v1 -genkey -noout', { out: `${name}.key` });

function openssl(folder: string, line: string, files: Readonly<Record<string, string>>): void {
  const named = Object.entries(files).flatMap(([flag, file]) => [`-${flag}`, join(folder, file)]);
  run('openssl', [...line.split(' '), ...named]);
}

import { join } from 'node:path';
import { serviceNetwork } from './node-place.ts';

export type Flags = Readonly<Record<string, string>>;

/** As a program takes them. */
export const argumentsOf = (flags: Flags): string[] =>
  Object.entries(flags).map(([flag, value]) => `--${flag}=${value}`);

/** Of an etcd in `folder` that listens at `url`. */
export const etcdFlags = (folder: string, url: string): Flags => ({
  name: 'holdfast',
  'data-dir': join(folder, 'etcd'),
  // No test outlives its machine.
  'unsafe-no-fsync': 'true',
  'listen-client-urls': url,
  'advertise-client-urls': url,
  'listen-peer-urls': 'http://127.0.0.1:0',
});

interface ApiServer {
  /** With certificates and `tokens.csv`. */
  readonly pki: string;
  readonly etcd: string;
  readonly address: string;
  readonly port: number;
}

export const apiServerFlags = ({ pki, etcd, address, port }: ApiServer): Flags => ({
  'etcd-servers': etcd,
  'bind-address': address,
  // Of 127.0.0.1 it complains now and then that nobody else could use it; where nothing runs, nobody does.
  'advertise-address': address,
  'secure-port': String(port),
  'tls-cert-file': join(pki, 'apiserver.crt'),
  'tls-private-key-file': join(pki, 'apiserver.key'),
  'client-ca-file': join(pki, 'ca.crt'),
  'token-auth-file': join(pki, 'tokens.csv'),
  'authorization-mode': 'Node,RBAC',
  'service-account-issuer': 'https://kubernetes.default.svc',
  'service-account-key-file': join(pki, 'sa.key'),
  'service-account-signing-key-file': join(pki, 'sa.key'),
  'service-cluster-ip-range': serviceNetwork,
  profiling: 'false',
});

/** What it takes besides to talk to a kubelet, by its address: the name of the node is not in any DNS. */
export const kubeletFlags = (pki: string): Flags => ({
  'enable-admission-plugins': 'NodeRestriction',
  'allow-privileged': 'true',
  'kubelet-client-certificate': join(pki, 'kubelet-client.crt'),
  'kubelet-client-key': join(pki, 'kubelet-client.key'),
  'kubelet-preferred-address-types': 'InternalIP',
});

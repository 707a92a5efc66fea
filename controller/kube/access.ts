import { readFileSync } from 'node:fs';
import { isIPv6 } from 'node:net';
import { join } from 'node:path';
import type { ConnectionOptions } from 'node:tls';
import type { Clock } from '../../platform/clock.ts';

/** How the API server is reached, and as whom. */
export interface Access {
  /** `https://10.96.0.1:443` */
  readonly url: string;
  readonly tls: TlsOptions;
  /** What says who calls. Asked for before each call: tokens are rotated. */
  headers(): Promise<Readonly<Record<string, string>>>;
}

type TlsOptions = Pick<
  ConnectionOptions,
  'ca' | 'cert' | 'key' | 'passphrase' | 'servername' | 'rejectUnauthorized'
>;

/** Where Kubernetes puts a pod's own identity. */
export const serviceAccountFolder = '/var/run/secrets/kubernetes.io/serviceaccount';

/** kubelet rotates a token long before it expires. */
const rereadMs = 30_000;

interface ClusterAddress {
  readonly host: string;
  readonly port: string;
}

/** As the pod that this process runs in. */
export function podAccess(
  { host, port }: ClusterAddress,
  clock: Clock,
  folder = serviceAccountFolder,
): Access {
  let headers: Readonly<Record<string, string>> = {};
  let readAt = -Infinity;
  return {
    url: `https://${isIPv6(host) ? `[${host}]` : host}:${port}`,
    tls: { ca: readFileSync(join(folder, 'ca.crt'), 'utf8') },
    headers: async () => {
      if (clock.now() - readAt >= rereadMs) {
        const token = readFileSync(join(folder, 'token'), 'utf8').trim();
        headers = { authorization: `Bearer ${token}` };
        readAt = clock.now();
      }
      return headers;
    },
  };
}

/** As the current context of a kubeconfig says, plugins that log in included. */
export async function kubeconfigAccess(path: string, clock: Clock): Promise<Access> {
  // 92 MB of memory that no pod needs.
  const { KubeConfig } = await import('@kubernetes/client-node');
  const config = new KubeConfig();
  config.loadFromFile(path);
  const cluster = config.getCurrentCluster();
  if (cluster === null) throw new Error(`${path} has no current context with a cluster`);
  const ask = async () => {
    const options: { headers?: Record<string, string> } & ConnectionOptions = {};
    await config.applyToHTTPSOptions(options);
    return options;
  };
  let { headers = {} } = {} as { headers?: Readonly<Record<string, string>> };
  let askedAt = -Infinity;
  const { ca, cert, key, passphrase, servername, rejectUnauthorized } = await ask();
  const tls = { ca, cert, key, passphrase, servername, rejectUnauthorized };
  return {
    url: cluster.server.replace(/\/$/, ''),
    tls: Object.fromEntries(Object.entries(tls).filter(([, value]) => value !== undefined)),
    headers: async () => {
      if (clock.now() - askedAt >= rereadMs) {
        headers = (await ask()).headers ?? {};
        askedAt = clock.now();
      }
      return headers;
    },
  };
}

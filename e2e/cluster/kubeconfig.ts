import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { parse, stringify } from 'yaml';

/** How an API server is reached. */
export interface Access {
  /** `https://127.0.0.1:6443` */
  readonly url: string;
  /** PEM of who signed its certificate; absent: those that Node believes. */
  readonly ca?: string | undefined;
  readonly token?: string | undefined;
  /** PEM of a client's certificate. */
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
}

/** What kubectl reads. */
export const kubeconfigText = ({ url, ca, token }: Access): string =>
  stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'tests',
    contexts: [{ name: 'tests', context: { cluster: 'tests', user: 'tests' } }],
    users: [{ name: 'tests', user: { token } }],
    clusters: [
      {
        name: 'tests',
        cluster: {
          server: url,
          'certificate-authority-data': Buffer.from(ca ?? '').toString('base64'),
        },
      },
    ],
  });

interface Named {
  readonly name: string;
  readonly cluster?: Readonly<Record<string, string>>;
  readonly user?: Readonly<Record<string, string>>;
  readonly context?: { readonly cluster: string; readonly user: string };
}

interface Kubeconfig {
  readonly 'current-context': string;
  readonly contexts: readonly Named[];
  readonly clusters: readonly Named[];
  readonly users: readonly Named[];
}

/** The current context of a kubeconfig, with tokens and certificates; plugins that log in are not run. */
export function readKubeconfig(path: string): Access {
  const config = parse(readFileSync(path, 'utf8')) as Kubeconfig;
  const named = (list: readonly Named[], name: string | undefined): Named => {
    const found = list.find((each) => each.name === name);
    if (found === undefined) throw new Error(`${path} has no "${name ?? 'current-context'}"`);
    return found;
  };
  const { context } = named(config.contexts, config['current-context']);
  const { cluster = {} } = named(config.clusters, context?.cluster);
  const { user = {} } = named(config.users, context?.user);
  /** A field with the text itself, its base64 or the name of its file. */
  const text = (from: Readonly<Record<string, string>>, field: string): string | undefined => {
    const data = from[`${field}-data`];
    if (data !== undefined) return Buffer.from(data, 'base64').toString();
    const file = from[field];
    return file === undefined ? undefined : readFileSync(resolve(dirname(path), file), 'utf8');
  };
  return {
    url: cluster['server'] ?? '',
    ca: text(cluster, 'certificate-authority'),
    token: user['token'],
    cert: text(user, 'client-certificate'),
    key: text(user, 'client-key'),
  };
}

import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Access } from './kubeconfig.ts';
import { kubeconfigText } from './kubeconfig.ts';
import { nodeName } from './node-place.ts';

const identities = {
  admin: { user: 'admin', group: 'system:masters' },
  'controller-manager': { user: 'system:kube-controller-manager' },
  scheduler: { user: 'system:kube-scheduler' },
  'kube-proxy': { user: 'system:kube-proxy' },
  kubelet: { user: `system:node:${nodeName}`, group: 'system:nodes' },
} as const;

export type Identity = keyof typeof identities;

export const kubeconfigOf = (folder: string, identity: Identity): string =>
  join(folder, `${identity}.kubeconfig`);

/**
 * Writes `pki/tokens.csv` for the API server and a kubeconfig for each identity; the admin's token. One random token each is
 * simpler than client certificates, and as hard to guess.
 */
export function makeIdentities(folder: string, access: (token: string) => Access): string {
  const lines: string[] = [];
  const tokens = new Map<string, string>();
  for (const [name, { user, ...more }] of Object.entries(identities)) {
    const token = randomBytes(20).toString('hex');
    tokens.set(name, token);
    lines.push([token, user, name, ...('group' in more ? [more.group] : [])].join(','));
    const text = kubeconfigText(access(token));
    writeFileSync(kubeconfigOf(folder, name as Identity), text, { mode: 0o600 });
  }
  writeFileSync(join(folder, 'pki/tokens.csv'), `${lines.join('\n')}\n`, { mode: 0o600 });
  return tokens.get('admin') ?? '';
}

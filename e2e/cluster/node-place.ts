import { join } from 'node:path';
import { clusterHome } from './binaries.ts';
import type { Access } from './kubeconfig.ts';

// A node changes the whole machine (bridge, iptables, sysctls): there is one a machine, and its networks are fixed.
export const bridge = 'hfbr0';
/** The machine as pods see it, and the node's own address. */
export const hostIp = '10.88.0.1';
export const podNetwork = '10.88.0.0/16';
export const serviceNetwork = '10.96.0.0/16';
/** Service `kubernetes`, the first address of its network. */
export const kubernetesServiceIp = '10.96.0.1';
export const nodeName = 'node1';
export const pauseImage = 'localhost/pause:1';

/** Of the API server, on the bridge's address alone. */
export const apiPort = 6443;

/** Everything of the node that runs, or ran and was killed. Its path is short, for containerd's sockets are in it. */
export const nodeFolder = (): string => join(clusterHome(), 'node');

/** How the API server is reached with a token. */
export const nodeAccess = (ca: string, token: string): Access => ({
  url: `https://${hostIp}:${apiPort}`,
  ca,
  token,
});

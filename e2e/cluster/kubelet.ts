import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { binaryPath } from './binaries.ts';
import { containerdSocket } from './containerd.ts';
import { argumentsOf } from './control-plane-flags.ts';
import { kubeconfigOf } from './identities.ts';
import { hostIp, nodeName } from './node-place.ts';
import type { RecordedProcesses } from './recorded-processes.ts';

/** Starts the kubelet; its port is the usual one. */
export function startKubelet(folder: string, processes: RecordedProcesses): void {
  const config = join(folder, 'kubelet.yaml');
  writeFileSync(config, stringify(kubeletConfig(folder)));
  const flags = {
    config,
    kubeconfig: kubeconfigOf(folder, 'kubelet'),
    'root-dir': join(folder, 'kubelet'),
    'hostname-override': nodeName,
    'node-ip': hostIp,
    // Where CAP_SYS_RESOURCE is missing, it may not be lowered.
    'oom-score-adj': '0',
  };
  processes.start('kubelet', binaryPath('kubelet'), argumentsOf(flags));
}

const kubeletConfig = (folder: string): object => ({
  apiVersion: 'kubelet.config.k8s.io/v1beta1',
  kind: 'KubeletConfiguration',
  // The API server calls it for logs, exec and port-forward, and does so at the node's InternalIP.
  address: hostIp,
  authentication: {
    anonymous: { enabled: false },
    webhook: { enabled: true },
    x509: { clientCAFile: join(folder, 'pki/ca.crt') },
  },
  authorization: { mode: 'Webhook' },
  tlsCertFile: join(folder, 'pki/kubelet-server.crt'),
  tlsPrivateKeyFile: join(folder, 'pki/kubelet-server.key'),
  readOnlyPort: 0,
  cgroupDriver: 'cgroupfs',
  // Machines with both kinds of cgroups are refused otherwise.
  failCgroupV1: false,
  failSwapOn: false,
  containerRuntimeEndpoint: `unix://${containerdSocket(folder)}`,
  podLogsDir: join(folder, 'podlogs'),
  volumePluginDir: join(folder, 'volume-plugins'),
  clusterDNS: [hostIp],
  clusterDomain: 'cluster.local',
  resolvConf: '',
  // An image that was collected could not be pulled again, and a busy disk must not drive pods of tests away.
  imageGCHighThresholdPercent: 100,
  imageGCLowThresholdPercent: 99,
  evictionHard: {
    'memory.available': '50Mi',
    'nodefs.available': '1%',
    'imagefs.available': '1%',
  },
  nodeStatusUpdateFrequency: '5s',
  syncFrequency: '10s',
  shutdownGracePeriod: '0s',
});

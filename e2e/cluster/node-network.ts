import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../../scripts/servers/free-port.ts';
import { binaryPath } from './binaries.ts';
import { argumentsOf } from './control-plane-flags.ts';
import { kubeconfigOf } from './identities.ts';
import { hostIp, nodeName, podNetwork } from './node-place.ts';
import type { RecordedProcesses } from './recorded-processes.ts';

/** Starts what makes Services reachable; its ports are the usual ones. */
export function startKubeProxy(folder: string, processes: RecordedProcesses): void {
  const flags = {
    kubeconfig: kubeconfigOf(folder, 'kube-proxy'),
    'hostname-override': nodeName,
    'proxy-mode': 'iptables',
    'cluster-cidr': podNetwork,
    'oom-score-adj': '0',
    // On the bridge alone: with loopback it would set route_localnet, with all addresses tests could be reached from outside.
    'nodeport-addresses': 'primary',
    'healthz-bind-address': '127.0.0.1:10256',
    'metrics-bind-address': '127.0.0.1:10249',
    // With these it leaves the machine's sysctls of conntrack alone.
    'conntrack-max-per-core': '0',
    'conntrack-tcp-timeout-established': '0s',
    'conntrack-tcp-timeout-close-wait': '0s',
  };
  processes.start('kube-proxy', binaryPath('kube-proxy'), argumentsOf(flags));
}

/** Starts the cluster's DNS, and says where it tells that it is ready. A process and not a pod: it needs no image, and is there first. */
export async function startDns(folder: string, processes: RecordedProcesses): Promise<string> {
  const readiness = `127.0.0.1:${await freePort()}`;
  const file = join(folder, 'Corefile');
  writeFileSync(file, corefile(readiness, kubeconfigOf(folder, 'admin')));
  processes.start('coredns', binaryPath('coredns'), ['-conf', file]);
  return `http://${readiness}/ready`;
}

/** Names outside of the cluster do not exist, and that at once: no test depends on the network by accident. */
const corefile = (readiness: string, kubeconfig: string): string => `
cluster.local 10.in-addr.arpa {
  bind ${hostIp}
  errors
  ready ${readiness}
  kubernetes cluster.local 10.in-addr.arpa {
    kubeconfig ${kubeconfig} tests
    ttl 1
  }
}
. {
  bind ${hostIp}
  template ANY ANY {
    rcode NXDOMAIN
  }
}
`;

import { existsSync } from 'node:fs';
import { chmodSync, rmSync, writeFileSync } from 'node:fs';
import { installSystemPackage } from '../../scripts/dev/system-package.ts';

/** What a node takes of the system: packages of Debian, by a file of each, whoever put it there. */
const packages: Readonly<Record<string, string>> = {
  containerd: '/usr/bin/containerd',
  // crun is no substitute: it refuses machines with both kinds of cgroups.
  runc: '/usr/sbin/runc',
  'containernetworking-plugins': '/usr/lib/cni/bridge',
  iptables: '/usr/sbin/iptables',
  iproute2: '/bin/ip',
  openssl: '/usr/bin/openssl',
};

/** Names of the packages that are not there. */
export const missingPackages = (): string[] =>
  Object.entries(packages)
    .filter(([, file]) => !existsSync(file))
    .map(([name]) => name);

/** Installs them where root may; says which are still missing. No service is started. */
export async function installPackages(signal?: AbortSignal): Promise<string[]> {
  const lift = forbidServices();
  try {
    for (const name of missingPackages()) {
      console.log(`installing ${name}`);
      await installSystemPackage(name, signal);
    }
  } finally {
    lift();
  }
  return missingPackages();
}

/** The package of containerd would start one for the whole machine: a policy that answers 101 forbids every start. */
function forbidServices(): () => void {
  const policy = '/usr/sbin/policy-rc.d';
  if (existsSync(policy) || process.getuid?.() !== 0) return () => {};
  writeFileSync(policy, '#!/bin/sh\nexit 101\n');
  chmodSync(policy, 0o755);
  return () => rmSync(policy, { force: true });
}

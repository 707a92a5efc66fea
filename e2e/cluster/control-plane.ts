import type { ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../../scripts/servers/free-port.ts';
import { temporaryFolder } from '../../scripts/servers/temporary-folder.ts';
import { endProcess, hasEnded, startTethered } from '../../scripts/servers/tethered-process.ts';
import { binaryPath } from './binaries.ts';
import { makeCertificates } from './certificates.ts';
import { type Flags, apiServerFlags, argumentsOf, etcdFlags } from './control-plane-flags.ts';
import { KubeApi } from './kube-api.ts';
import { type Access, kubeconfigText } from './kubeconfig.ts';

/** An API server of one's own: what it is told is stored and checked, and nothing runs. */
export interface ControlPlane {
  readonly access: Access;
  /** File for kubectl. */
  readonly kubeconfig: string;
  /** Certificates and keys, with `sa.key`, which signs the tokens of service accounts. */
  readonly pki: string;
  /** Runs the controllers of Kubernetes that are named, such as `garbage-collector-controller`. */
  startControllers(names: readonly string[]): void;
  /** Kills the API server; it serves again, on the same data, some `downMs` later. */
  restartApiServer(downMs: number): Promise<void>;
  /** Resolves when all of it is gone, its data too. */
  stop(): Promise<void>;
}

/** Starts etcd and kube-apiserver on 127.0.0.1, in about 4 s; they die with this process. Needs no root. */
export async function startControlPlane(): Promise<ControlPlane> {
  for (let attempt = 1; ; attempt += 1) {
    const folder = temporaryFolder('cluster');
    try {
      return await startIn(folder);
    } catch (error) {
      const logs = ['etcd', 'kube-apiserver'].map((name) => tailOf(join(folder, `${name}.log`)));
      rmSync(folder, { recursive: true, force: true });
      // Somebody else was faster at one of the ports.
      if (attempt < 3 && logs.join('').includes('address already in use')) continue;
      throw new Error(`the control plane did not start:\n${logs.join('\n')}`, { cause: error });
    }
  }
}

async function startIn(folder: string): Promise<ControlPlane> {
  await using started = new AsyncDisposableStack();
  const children: ChildProcess[] = [];
  // Nothing of them is kept, so there is nothing to end in order.
  started.defer(async () => {
    await Promise.all(children.map((child) => endProcess(child, 'SIGKILL', 5_000)));
  });
  const run = (
    name: 'etcd' | 'kube-apiserver' | 'kube-controller-manager',
    flags: Flags,
  ): ChildProcess => {
    const log = openSync(join(folder, `${name}.log`), 'w', 0o600);
    const child = startTethered(binaryPath(name), argumentsOf(flags), {
      env: {},
      stdio: ['ignore', log, log],
      deathSignal: 'SIGTERM',
      cwd: folder,
    });
    closeSync(log);
    children.push(child);
    return child;
  };
  const pki = join(folder, 'pki');
  mkdirSync(pki, { mode: 0o700 });
  makeCertificates(pki);
  const token = randomBytes(20).toString('hex');
  writeFileSync(join(pki, 'tokens.csv'), `${token},admin,admin,system:masters\n`, { mode: 0o600 });

  const etcd = `http://127.0.0.1:${await freePort()}`;
  run('etcd', etcdFlags(folder, etcd));
  const port = await freePort();
  const serve = (): ChildProcess =>
    run('kube-apiserver', apiServerFlags({ pki, etcd, address: '127.0.0.1', port }));
  let server = serve();
  const ca = readFileSync(join(pki, 'ca.crt'), 'utf8');
  const access = { url: `https://127.0.0.1:${port}`, ca, token };
  const api = new KubeApi(access);
  started.defer(() => api.close());
  await api.ready(() => hasEnded(server));
  const kubeconfig = join(folder, 'kubeconfig');
  writeFileSync(kubeconfig, kubeconfigText(access), { mode: 0o600 });

  const running = started.move();
  return {
    access,
    kubeconfig,
    pki,
    startControllers: (names) => {
      run('kube-controller-manager', {
        kubeconfig,
        controllers: names.join(','),
        // Nobody asks how it is: it serves nothing.
        'secure-port': '0',
        'leader-elect': 'false',
      });
    },
    restartApiServer: async (downMs) => {
      await endProcess(server, 'SIGKILL', 5_000);
      await sleep(downMs);
      server = serve();
      await api.ready(() => hasEnded(server));
    },
    stop: async () => {
      await running.disposeAsync();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function tailOf(file: string): string {
  try {
    return readFileSync(file, 'utf8').slice(-2_000);
  } catch {
    return '';
  }
}

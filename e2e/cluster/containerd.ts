import { mkdirSync, mkdtempSync, cpSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { binaryPath, clusterHome } from './binaries.ts';
import { bridge, pauseImage, podNetwork } from './node-place.ts';
import { writeImages } from './oci-image.ts';
import type { RecordedProcesses } from './recorded-processes.ts';
import { run } from './tool.ts';

export const containerdSocket = (folder: string): string => join(folder, 'c.sock');

/** Where containerd's own folders are; bind mounts of pods, too, are below `folder`. */
export async function startContainerd(folder: string, processes: RecordedProcesses): Promise<void> {
  const config = join(folder, 'containerd.toml');
  writeFileSync(config, containerdConfig(folder));
  mkdirSync(join(folder, 'cni'));
  const network = JSON.stringify(networkConfig(folder));
  writeFileSync(join(folder, 'cni/10-holdfast.conflist'), network);
  processes.start('containerd', 'containerd', ['--config', config]);
  await processes.until('containerd', 'it answers', async () => {
    ctr(folder, 'version');
    return true;
  });
  await importPause(folder, processes);
}

/** Runs containerd's command where the kubelet looks. */
export const ctr = (folder: string, ...args: string[]): string =>
  run('ctr', ['--address', containerdSocket(folder), '--namespace', 'k8s.io', ...args]);

/** Imports an archive (an OCI layout, or what `docker save` writes), and waits until the kubelet can see its images. */
export async function importArchive(
  folder: string,
  processes: RecordedProcesses,
  archive: string,
): Promise<void> {
  ctr(folder, 'images', 'import', archive);
  // The part that serves the kubelet learns of an import by an event, and says so by this label. A pod that came first would have
  // ErrImageNeverPull, and wait for the kubelet to try again.
  await processes.until('containerd', 'images are labelled', async () =>
    ctr(folder, 'images', 'ls')
      .trim()
      .split('\n')
      .slice(1)
      .every((line) => line.includes('io.cri-containerd.image=managed')),
  );
}

async function importPause(folder: string, processes: RecordedProcesses): Promise<void> {
  const root = mkdtempSync(join(clusterHome(), 'image.'));
  try {
    const layer = join(root, 'layer');
    mkdirSync(layer);
    cpSync(binaryPath('pause'), join(layer, 'pause'));
    const image = { reference: pauseImage, entrypoint: ['/pause'], user: '65535:65535' };
    await writeImages([{ ...image, layers: [layer] }], join(root, 'pause.tar'));
    await importArchive(folder, processes, join(root, 'pause.tar'));
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

/**
 * restrict_oom_score_adj: where CAP_SYS_RESOURCE is missing nobody may lower an oom_score_adj, and runc fails with "can't get final
 * child's PID from pipe: EOF". SystemdCgroup: systemd may not run here. netns_mounts_under_state_dir and runc's Root: all is below
 * `folder`, where `down` finds it.
 */
const containerdConfig = (folder: string): string => `
version = 2
root = "${folder}/containerd"
state = "${folder}/run"
disabled_plugins = [${[
  ...['aufs', 'btrfs', 'zfs', 'devmapper'].map((name) => `"io.containerd.snapshotter.v1.${name}"`),
  '"io.containerd.tracing.processor.v1.otlp"',
].join(', ')}]
[grpc]
  address = "${containerdSocket(folder)}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${pauseImage}"
  restrict_oom_score_adj = true
  netns_mounts_under_state_dir = true
[plugins."io.containerd.grpc.v1.cri".containerd]
  snapshotter = "overlayfs"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
  Root = "${folder}/runc"
  SystemdCgroup = false
[plugins."io.containerd.grpc.v1.cri".cni]
  bin_dir = "/usr/lib/cni"
  conf_dir = "${folder}/cni"
`;

/** hairpinMode: a pod may call the Service that it stands behind. portmap: hostPort. */
const networkConfig = (folder: string): object => ({
  cniVersion: '0.4.0',
  name: 'holdfast',
  plugins: [
    {
      type: 'bridge',
      bridge,
      isGateway: true,
      ipMasq: true,
      hairpinMode: true,
      ipam: {
        type: 'host-local',
        dataDir: join(folder, 'ipam'),
        ranges: [[{ subnet: podNetwork }]],
        routes: [{ dst: '0.0.0.0/0' }],
      },
    },
    { type: 'portmap', capabilities: { portMappings: true } },
  ],
});

import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  createReadStream,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';

/** An image of plain folders: no builder and no registry is needed. */
export interface Image {
  /** `localhost/name:tag`: without a host, a kubelet would put a public registry's name before it. */
  readonly reference: string;
  /** Folders with what is in the image below `/`, later ones over earlier ones. */
  readonly layers: readonly string[];
  readonly entrypoint?: readonly string[];
  readonly command?: readonly string[];
  /** `uid:gid` */
  readonly user?: string;
  readonly workdir?: string;
  /** `NAME=value` */
  readonly env?: readonly string[];
}

interface Blob {
  readonly digest: string;
  readonly size: number;
}

const architecture = process.arch === 'x64' ? 'amd64' : process.arch;
const path = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const type = (name: string): string => `application/vnd.oci.image.${name}`;

/** Writes images into one OCI archive; a layer that several share is in it once. The same folders give the same digests. */
export async function writeImages(images: readonly Image[], archive: string): Promise<void> {
  for (const { reference } of images) checkReference(reference);
  const layout = mkdtempSync(join(dirname(archive), 'layout.'));
  try {
    mkdirSync(join(layout, 'blobs/sha256'), { recursive: true });
    const layers = new Map<string, Blob>();
    for (const folder of new Set(images.flatMap((image) => image.layers))) {
      layers.set(folder, await layerBlob(layout, folder));
    }
    const manifests: object[] = [];
    for (const image of images) {
      const blobs = image.layers.map((folder) => layers.get(folder) as Blob);
      manifests.push(await manifestOf(layout, image, blobs));
    }
    const index = { schemaVersion: 2, mediaType: type('index.v1+json'), manifests };
    writeFileSync(join(layout, 'index.json'), JSON.stringify(index));
    writeFileSync(join(layout, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
    await tar(layout, ['oci-layout', 'index.json', 'blobs'], archive);
  } finally {
    rmSync(layout, { recursive: true, force: true });
  }
}

/** Throws where a kubelet would look for the image elsewhere, or pull it anew for each pod. */
export function checkReference(reference: string): void {
  const valid = /^(?:localhost|[a-z0-9-]+(?:\.[a-z0-9-]+)+)(?::\d+)?\/[a-z0-9._/-]+:[\w.-]+$/;
  if (!valid.test(reference)) {
    throw new Error(`image "${reference}" must look like localhost/name:tag`);
  }
  if (reference.endsWith(':latest')) {
    throw new Error(`image "${reference}": pods would pull the tag "latest" from a registry`);
  }
}

async function manifestOf(layout: string, image: Image, layers: readonly Blob[]): Promise<object> {
  const { reference, entrypoint, command, user, workdir = '/', env = [] } = image;
  const config = await jsonBlob(layout, {
    architecture,
    os: 'linux',
    created: '1970-01-01T00:00:00Z',
    config: {
      Env: [path, ...env],
      WorkingDir: workdir,
      ...(entrypoint && { Entrypoint: entrypoint }),
      ...(command && { Cmd: command }),
      ...(user && { User: user }),
    },
    rootfs: { type: 'layers', diff_ids: layers.map(({ digest }) => digest) },
    history: layers.map(() => ({ created_by: 'e2e/cluster' })),
  });
  const manifest = await jsonBlob(layout, {
    schemaVersion: 2,
    mediaType: type('manifest.v1+json'),
    config: { mediaType: type('config.v1+json'), ...config },
    layers: layers.map((layer) => ({ mediaType: type('layer.v1.tar'), ...layer })),
  });
  return {
    mediaType: type('manifest.v1+json'),
    platform: { os: 'linux', architecture },
    annotations: { 'io.containerd.image.name': reference },
    ...manifest,
  };
}

async function layerBlob(layout: string, folder: string): Promise<Blob> {
  const file = join(layout, 'layer');
  // The entries and not "./": that would give the image's root the mode of the folder, which nobody else may enter.
  const entries = readdirSync(folder).toSorted();
  await tar(folder, ['--sort=name', '--mtime=@0', '--owner=0', '--group=0', ...entries], file);
  return addBlob(layout, file);
}

function jsonBlob(layout: string, value: object): Promise<Blob> {
  const file = join(layout, 'json');
  writeFileSync(file, JSON.stringify(value));
  return addBlob(layout, file);
}

async function addBlob(layout: string, file: string): Promise<Blob> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file, { highWaterMark: 1 << 20 }), hash);
  const name = hash.digest('hex');
  const { size } = statSync(file);
  renameSync(file, join(layout, 'blobs/sha256', name));
  return { digest: `sha256:${name}`, size };
}

async function tar(folder: string, args: readonly string[], file: string): Promise<void> {
  await promisify(execFile)('tar', ['-C', folder, '-cf', file, '--numeric-owner', ...args]);
}

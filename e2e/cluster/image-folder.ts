import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { clusterHome } from './binaries.ts';
import { importArchive } from './containerd.ts';
import { makeAppLayer, makeNodeRuntime, nodeAppImage } from './node-runtime.ts';
import { nodeFolder } from './node-place.ts';
import { type Image, writeImages } from './oci-image.ts';
import { RecordedProcesses } from './recorded-processes.ts';

/** A Node app: what is in `folder` becomes /app. */
export interface NodeApp extends Omit<Image, 'layers'> {
  readonly folder: string;
}

/** Writes an archive of images, or imports them into the node that is up. */
export async function deliverImages(images: readonly Image[], archive?: string): Promise<void> {
  await inTemporaryFolder(async (folder) => {
    const file = archive ?? join(folder, 'images.tar');
    await writeImages(images, file);
    if (archive === undefined) await importImages(file);
  });
}

/** Images of Node apps, which share the layer that has Node. */
export async function deliverNodeApps(apps: readonly NodeApp[], archive?: string): Promise<void> {
  await inTemporaryFolder(async (folder) => {
    const runtime = join(folder, 'node');
    mkdirSync(runtime);
    makeNodeRuntime(runtime);
    const images = apps.map(({ folder: app, ...described }, nth) => {
      const layer = join(folder, `app-${nth}`);
      makeAppLayer(layer, app);
      return { ...nodeAppImage, ...described, layers: [runtime, layer] };
    });
    await deliverImages(images, archive);
  });
}

/** Imports an archive into the node that is up. */
export function importImages(archive: string): Promise<void> {
  const folder = nodeFolder();
  const processes = new RecordedProcesses(folder);
  if (processes.pidOf('containerd') === undefined) throw new Error('no node is up to import into');
  return importArchive(folder, processes, archive);
}

async function inTemporaryFolder(work: (folder: string) => Promise<void>): Promise<void> {
  mkdirSync(clusterHome(), { recursive: true });
  const folder = mkdtempSync(join(clusterHome(), 'image.'));
  try {
    await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { copyImageContent } from '../../scripts/image-content.ts';
import { clusterHome } from '../cluster/binaries.ts';
import { type NodeApp, deliverNodeApps } from '../cluster/image-folder.ts';

const checkout = fileURLToPath(new URL('../..', import.meta.url));

/** The images of this checkout as they are named on our own node. */
export const imageNames = {
  sidecarImage: 'localhost/holdfast-sidecar:e2e',
  controllerImage: 'localhost/holdfast-controller:e2e',
  exampleImage: 'localhost/holdfast-example:e2e',
  fixturesImage: 'localhost/holdfast-fixtures:e2e',
} as const;

/** Writes all of them into one archive, from dist/ and node_modules of this checkout. */
export async function writeImageArchive(archive: string): Promise<void> {
  mkdirSync(clusterHome(), { recursive: true });
  const work = mkdtempSync(join(clusterHome(), 'content.'));
  try {
    const programs = (['sidecar', 'controller'] as const).map((program): NodeApp => {
      const folder = join(work, program);
      copyImageContent(program, folder);
      const reference = imageNames[`${program}Image`];
      return { reference, folder, command: [`${program}/main.js`] };
    });
    const fixtures = join(checkout, 'e2e/cluster/fixtures/app');
    await deliverNodeApps(
      [...programs, { reference: imageNames.fixturesImage, folder: fixtures }],
      archive,
    );
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

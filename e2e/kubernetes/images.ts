import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { copyModules } from '../../scripts/dev/production-modules.ts';
import { copyImageContent } from '../../scripts/image-content.ts';
import { clusterHome } from '../cluster/binaries.ts';
import { type NodeApp, deliverNodeApps } from '../cluster/image-folder.ts';

const checkout = fileURLToPath(new URL('../..', import.meta.url));

/** The images of this checkout as they are named on our own node. */
export const imageNames = {
  sidecarImage: 'localhost/holdfast-sidecar:e2e',
  controllerImage: 'localhost/holdfast-controller:e2e',
  // As examples/kubernetes/app.yaml names it.
  exampleImage: 'registry.example/shop:1.0.0',
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
    const example = join(work, 'example');
    copyExample(example);
    const fixtures = join(checkout, 'e2e/cluster/fixtures/app');
    await deliverNodeApps(
      [
        ...programs,
        { reference: imageNames.exampleImage, folder: example },
        { reference: imageNames.fixturesImage, folder: fixtures },
      ],
      archive,
    );
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** What `npm install` would put beside the example: the client as it is published, and what it needs. */
function copyExample(folder: string): void {
  const client = join(checkout, 'clients/typescript');
  execFileSync(process.execPath, [join(client, 'build.ts')], { cwd: client, stdio: 'inherit' });
  for (const name of ['app.ts', 'package.json']) {
    cpSync(join(checkout, 'examples/kubernetes', name), join(folder, name));
  }
  const installed = join(folder, 'node_modules/@holdfast/client');
  cpSync(join(client, 'dist'), installed, { recursive: true });
  const text = readFileSync(join(installed, 'package.json'), 'utf8');
  const { dependencies } = JSON.parse(text) as { dependencies: Record<string, string> };
  copyModules(checkout, Object.keys(dependencies), folder);
}

/** `node scripts/image-root.ts FOLDER`: the root file systems of both images, as layers: FOLDER/runtime has Node, FOLDER/sidecar and FOLDER/controller the programs. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { makeAppLayer, makeNodeRuntime } from '../e2e/cluster/node-runtime.ts';
import { copyImageContent } from './image-content.ts';

const [folder] = process.argv.slice(2);
if (folder === undefined) {
  console.error('usage: node scripts/image-root.ts FOLDER');
  process.exit(64);
}
const target = resolve(folder);
const runtime = join(target, 'runtime');
mkdirSync(runtime, { recursive: true });
makeNodeRuntime(runtime);
const content = mkdtempSync(join(tmpdir(), 'hf-image-'));
try {
  for (const program of ['sidecar', 'controller'] as const) {
    copyImageContent(program, join(content, program));
    makeAppLayer(join(target, program), join(content, program));
  }
} finally {
  rmSync(content, { recursive: true, force: true });
}

/** `npm run e2e`: Holdfast on a real Kubernetes node, from nothing, and nothing is left of it. See e2e/cluster/README.md. */
import { mkdirSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { interruption } from '../scripts/dev/interruption.ts';
import { step } from '../scripts/dev/progress.ts';
import { runCommand } from '../scripts/dev/run-command.ts';
import { holdAlone } from '../scripts/dev/single-run.ts';
import { clusterHome, isBuilt, nodeBinaries } from './cluster/binaries.ts';
import { buildBinaries } from './cluster/build-binaries.ts';
import { kubeconfigOf } from './cluster/identities.ts';
import { importImages } from './cluster/image-folder.ts';
import { machineSnapshot, snapshotDifference } from './cluster/machine-snapshot.ts';
import { nodeDown, nodeStatus, nodeUp } from './cluster/node.ts';
import { hostIp, nodeFolder } from './cluster/node-place.ts';
import { installPackages } from './cluster/packages.ts';
import { imageNames, writeImageArchive } from './kubernetes/images.ts';
import { noEndToEndReason } from './kubernetes/requirements.ts';
import { environmentOf } from './kubernetes/surroundings.ts';

const help = `usage: npm run e2e -- [--keep] [--images FILE] [WORD…]

Builds what is missing, brings a Kubernetes node up on this machine, runs e2e/**/*.e2e.test.ts (those with a WORD in their path) and takes it down again.
Root and Go are needed; where they are not, E2E_KUBECONFIG and E2E_*_IMAGE point to a cluster of yours: e2e/cluster/README.md.

  --keep         leaves the node up: "node e2e/cluster/main.ts down" ends it. One that was up before stays up in any case
  --images FILE  only writes the images into an archive, for "kind load image-archive" and the like

Exit code: 0 when all passed, 1 when not, 64 for wrong arguments, 69 where there can be no e2e (it says what is missing).
`;

const checkout = fileURLToPath(new URL('..', import.meta.url));
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    keep: { type: 'boolean', default: false },
    images: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  process.stdout.write(help);
  process.exit(0);
}
const signal = interruption();
try {
  process.exitCode = await perform();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}

async function perform(): Promise<number> {
  if (values.images !== undefined) {
    await buildImages(resolve(values.images));
    return 0;
  }
  const reason = noEndToEndReason();
  if (reason !== undefined) {
    console.error(`no e2e here: ${reason}`);
    return 69;
  }
  if (process.env['E2E_KUBECONFIG'] === undefined) return onOwnNode();
  return (await tests({})) ? 0 : 1;
}

async function onOwnNode(): Promise<number> {
  await using _lock = await alone();
  if (!(await prepare())) return 69;
  mkdirSync(clusterHome(), { recursive: true });
  const archive = join(clusterHome(), `e2e-images.${process.pid}.tar`);
  const wasUp = (await nodeStatus()).state === 'up';
  const before = machineSnapshot();
  try {
    await buildImages(archive);
    if (!(await comesUp())) return 69;
    await step('importing the images', () => importImages(archive));
    const kubeconfig = kubeconfigOf(nodeFolder(), 'admin');
    const passed = await tests(environmentOf({ kubeconfig, host: hostIp, ...imageNames }));
    return passed && !signal.aborted ? 0 : 1;
  } finally {
    rmSync(archive, { force: true });
    if (values.keep || wasUp) console.log('the node stays up');
    else await takeDown(before);
  }
}

/** Kernels and containers differ in what they let a node do. */
async function comesUp(): Promise<boolean> {
  try {
    await step('node', nodeUp);
    return true;
  } catch (error) {
    console.error('no node can be brought up here:', error);
    return false;
  }
}

/** The node is everybody's: who ends first would take it from the others. */
async function alone(): Promise<AsyncDisposable> {
  try {
    return await holdAlone('holdfast-e2e');
  } catch (cause) {
    throw new Error('npm run e2e is running already, and there is one node', { cause });
  }
}

/** Whatever takes minutes, once. */
async function prepare(): Promise<boolean> {
  const missing = await step('packages of the system', () => installPackages(signal));
  if (missing.length > 0) console.error(`cannot be installed: ${missing.join(', ')}`);
  const unbuilt = nodeBinaries.filter((binary) => !isBuilt(binary));
  if (unbuilt.length > 0) {
    console.log(`${unbuilt.length} of ${nodeBinaries.length} Kubernetes programs are missing`);
    console.log(
      'all take 8 minutes on 2 idle cores, once for all checkouts; what was half done is resumed',
    );
  }
  const built = await step('Kubernetes programs', () => buildBinaries(nodeBinaries, signal));
  return built && missing.length === 0;
}

async function buildImages(archive: string): Promise<void> {
  await step('npm run build', async () => {
    const script = join(checkout, 'scripts/build.ts');
    const { succeeded, output } = await runCommand(process.execPath, [script]);
    if (!succeeded) throw new Error(output);
  });
  await step('images', () => writeImageArchive(archive));
}

async function tests(env: Readonly<Record<string, string>>): Promise<boolean> {
  const vitest = join(checkout, 'node_modules/.bin/vitest');
  // One node has place for one at a time.
  const args = ['run', '--project=e2e', '--no-file-parallelism', ...positionals];
  const options = { live: true, signal, env: { ...process.env, ...env } };
  return (await runCommand(vitest, args, options)).succeeded;
}

async function takeDown(before: readonly string[]): Promise<void> {
  await step('taking the node down', nodeDown);
  const different = snapshotDifference(before, machineSnapshot());
  if (different.length === 0) return;
  throw new Error(`the machine is not as it was:\n${different.join('\n')}`);
}

/** A whole Kubernetes node on one Linux machine, without Docker: `node e2e/cluster/main.ts up`. See README.md. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { parseArgs } from 'node:util';
import { interruption } from '../../scripts/dev/interruption.ts';
import { step } from '../../scripts/dev/progress.ts';
import { binaryPath, isBuilt, nodeBinaries } from './binaries.ts';
import { buildBinaries } from './build-binaries.ts';
import { kubeconfigOf } from './identities.ts';
import { deliverImages, deliverNodeApps, importImages } from './image-folder.ts';
import { nodeDown, nodeStatus, nodeUp } from './node.ts';
import { hostIp, nodeFolder } from './node-place.ts';
import { noNodeReason } from './node-requirements.ts';
import { installPackages } from './packages.ts';
import { RecordedProcesses } from './recorded-processes.ts';
import { toolEnvironment } from './tool.ts';

const help = `usage: node e2e/cluster/main.ts COMMAND

  build                     builds what is missing from Go modules (8 minutes at first), installs what is missing of the system (root)
  up                        brings a node up (root, 6 s); prints HOST_IP and KUBECONFIG
  status                    what runs; exit code 0 up, 3 down, 1 broken
  image REF FOLDER          makes an image of a root file system and imports it
  node-image REF FOLDER     the same of a Node app: Node, its libraries, CAs, user 65532, FOLDER as /app
  load FILE                 imports an archive of images (an OCI layout, or what docker save writes)
  kubectl … | helm …        with the node's kubeconfig
  logs [NAME]               the end of one process's log, or of all
  down                      ends it and puts the machine back

options of the images: --entrypoint a,b  --command a,b  --user U  --workdir D  --env K=V (repeatable)  --tar FILE (writes, does not import)
option of logs: --lines N (20)
environment: CLUSTER_HOME (~/.cache/holdfast-cluster)
`;

const [command = '', ...rest] = process.argv.slice(2);
try {
  process.exitCode = await perform();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}

async function perform(): Promise<number> {
  switch (command) {
    case 'build':
      return build();
    case 'up':
      return up();
    case 'down':
      console.log((await nodeDown()) ? 'down' : 'there was no node');
      return 0;
    case 'status':
      return status();
    case 'image':
    case 'node-image':
      return image();
    case 'load':
      if (rest[0] === undefined) return usage();
      await importImages(rest[0]);
      return 0;
    case 'kubectl':
    case 'helm':
      return tool(command);
    case 'logs':
      return logs();
    case '--help':
      process.stdout.write(help);
      return 0;
    default:
      return usage();
  }
}

function usage(): number {
  process.stderr.write(help);
  return 64;
}

async function build(): Promise<number> {
  const signal = interruption();
  const missing = await installPackages(signal);
  if (missing.length > 0) console.log(`missing packages: ${missing.join(', ')}`);
  const built = await step('Kubernetes programs', () => buildBinaries(nodeBinaries, signal));
  return built && missing.length === 0 && nodeBinaries.every(isBuilt) ? 0 : 1;
}

async function up(): Promise<number> {
  const reason = noNodeReason();
  if (reason !== undefined) throw new Error(`${reason}; "build" gets what can be had`);
  const startedAt = performance.now();
  const outcome = await nodeUp();
  // Standard output is for scripts alone.
  console.error(`${outcome} (${((performance.now() - startedAt) / 1_000).toFixed(1)} s)`);
  console.log(`HOST_IP=${hostIp}\nKUBECONFIG=${kubeconfigOf(nodeFolder(), 'admin')}`);
  return 0;
}

async function status(): Promise<number> {
  const { state, processes } = await nodeStatus();
  for (const [name, pid] of processes) console.log(`${name}: ${pid ?? 'has ended'}`);
  console.log(state);
  return { up: 0, down: 3, broken: 1 }[state];
}

async function image(): Promise<number> {
  const { values, positionals } = parseArgs({
    args: rest,
    allowPositionals: true,
    options: {
      entrypoint: { type: 'string' },
      command: { type: 'string' },
      user: { type: 'string' },
      workdir: { type: 'string' },
      env: { type: 'string', multiple: true },
      tar: { type: 'string' },
    },
  });
  const [reference, folder, ...more] = positionals;
  if (reference === undefined || folder === undefined || more.length > 0) return usage();
  const { entrypoint, command: words, user, workdir, env, tar } = values;
  const described = {
    reference,
    ...(words !== undefined && { command: words.split(',') }),
    ...(entrypoint !== undefined && { entrypoint: entrypoint.split(',') }),
    ...(user !== undefined && { user }),
    ...(workdir !== undefined && { workdir }),
    ...(env !== undefined && { env }),
  };
  if (command === 'image') await deliverImages([{ ...described, layers: [folder] }], tar);
  else await deliverNodeApps([{ ...described, folder }], tar);
  return 0;
}

async function tool(name: 'kubectl' | 'helm'): Promise<number> {
  // Of this node even when none is up: never of another cluster that the user has.
  const env = { ...toolEnvironment(), KUBECONFIG: kubeconfigOf(nodeFolder(), 'admin') };
  const child = spawn(binaryPath(name), rest, { stdio: 'inherit', env });
  const [code] = (await once(child, 'exit')) as [number | null];
  return code ?? 1;
}

function logs(): number {
  const { values, positionals } = parseArgs({
    args: rest,
    allowPositionals: true,
    options: { lines: { type: 'string', default: '20' } },
  });
  const processes = new RecordedProcesses(nodeFolder());
  const names = positionals.length > 0 ? positionals : processes.names();
  for (const name of names) {
    console.log(`==> ${name}\n${processes.tailOf(name, Number(values.lines))}`);
  }
  return 0;
}

import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { runCommand } from '../../scripts/dev/run-command.ts';
import {
  type Binary,
  binariesFolder,
  binaryPath,
  failurePath,
  goProgram,
  isBuilt,
  stampPath,
  versions,
} from './binaries.ts';

/**
 * Builds from Go modules what is missing, minutes for each at first: release archives and images are not to be had everywhere.
 * Says true when all are there, or when there is no Go: tests that need them say so then.
 */
export async function buildBinaries(
  wanted: readonly Binary[],
  signal?: AbortSignal,
): Promise<boolean> {
  const missing = wanted.filter((binary) => !isBuilt(binary));
  const go = goProgram();
  if (missing.length > 0 && go === undefined) {
    console.log(`Go is missing: tests that need ${missing.join(', ')} are skipped`);
    return true;
  }
  for (const binary of missing) {
    const startedAt = performance.now();
    const { succeeded, output } = await buildOne(binary, goIn(go ?? '', signal));
    if (!succeeded) {
      console.log(output.split('\n').slice(-20).join('\n'));
      writeFileSync(failurePath(), `${binary}\n`);
      return false;
    }
    const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1);
    rmSync(failurePath(), { force: true });
    console.log(`built ${binary} ${versions[binary]} in ${seconds} s`);
  }
  return true;
}

type Go = (folder: string, ...args: string[]) => ReturnType<typeof runCommand>;

const goIn =
  (program: string, signal: AbortSignal | undefined): Go =>
  (folder, ...args) =>
    runCommand(program, ['-C', folder, ...args], {
      signal,
      env: {
        ...process.env,
        CGO_ENABLED: '0',
        GOFLAGS: '-mod=mod -buildvcs=false',
        GOWORK: 'off',
        PATH: `${dirname(program)}:${process.env['PATH'] ?? ''}`,
      },
    });

async function buildOne(binary: Binary, go: Go): ReturnType<typeof runCommand> {
  mkdirSync(binariesFolder(), { recursive: true });
  const work = mkdtempSync(join(dirname(binariesFolder()), 'build.'));
  try {
    const { program, ldflags } =
      binary === 'etcd' ? await etcdModule(work, go) : await kubernetesModule(work, binary, go);
    const made = join(work, 'out');
    const flags = ['-trimpath', '-ldflags', `-s -w ${ldflags}`];
    const built = await go(work, 'build', ...flags, '-o', made, program);
    if (built.succeeded) {
      renameSync(made, binaryPath(binary));
      writeFileSync(stampPath(binary), `${versions[binary]}\n`);
    }
    return built;
  } catch (thrown) {
    return { succeeded: false, output: String(thrown) };
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

interface Buildable {
  /** Import path of the program. */
  readonly program: string;
  readonly ldflags: string;
}

/** `go install` refuses a module that replaces others, as etcd does; as a requirement of another module those lines do not count. */
async function etcdModule(work: string, go: Go): Promise<Buildable> {
  const program = 'go.etcd.io/etcd/server/v3';
  const version = `v${versions.etcd}`;
  writeFileSync(join(work, 'go.mod'), `module build\n\ngo 1.26\n\nrequire ${program} ${version}\n`);
  const source = await download(work, `${program}@${version}`, go);
  writeFileSync(join(work, 'go.sum'), readFileSync(join(source, 'go.sum')));
  return { program, ldflags: '' };
}

/**
 * Kubernetes requires its own parts (k8s.io/api, …) at v0.0.0 and replaces them by folders that no download has. So: a module with the
 * same requirements, in which each part is replaced by its release, v0.<minor>.<patch>.
 */
async function kubernetesModule(work: string, binary: Binary, go: Go): Promise<Buildable> {
  const version = versions[binary];
  const source = await download(work, `k8s.io/kubernetes@v${version}`, go);
  const theirs = readFileSync(join(source, 'go.mod'), 'utf8');
  const release = `v0.${version.replace(/^1\./, '')}`;
  const parts = [...theirs.matchAll(/^\s+(k8s\.io\/\S+) v0\.0\.0(?=\s|$)/gm)].map(
    ([, part = '']) => part,
  );
  const ours = theirs
    .replace(/^module .*/m, 'module build')
    .replaceAll(/^(\s+k8s\.io\/\S+) v0\.0\.0(?=\s|$)/gm, `$1 ${release}`)
    .replaceAll(/^replace \($[\s\S]*?^\)$/gm, '');
  const more = [
    `require k8s.io/kubernetes v${version}`,
    ...new Set(parts.map((part) => `replace ${part} => ${part} ${release}`)),
  ];
  writeFileSync(join(work, 'go.mod'), `${ours}\n${more.join('\n')}\n`);
  writeFileSync(join(work, 'go.sum'), readFileSync(join(source, 'go.sum')));
  const [major, minor] = version.split('.');
  const ldflags = ['k8s.io/component-base/version', 'k8s.io/client-go/pkg/version'].flatMap(
    (part) => [
      `-X ${part}.gitVersion=v${version}`,
      `-X ${part}.gitMajor=${major} -X ${part}.gitMinor=${minor} -X ${part}.gitTreeState=clean`,
    ],
  );
  return { program: `k8s.io/kubernetes/cmd/${binary}`, ldflags: ldflags.join(' ') };
}

/** Where a module's source is. */
async function download(work: string, module: string, go: Go): Promise<string> {
  const { succeeded, output } = await go(work, 'mod', 'download', '-json', module);
  const start = output.indexOf('{');
  if (!succeeded || start === -1) throw new Error(`${module} cannot be downloaded: ${output}`);
  const { Dir } = JSON.parse(output.slice(start, output.lastIndexOf('}') + 1)) as { Dir: string };
  return Dir;
}

import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { runCommand } from '../../scripts/dev/run-command.ts';
import { type Binary, versions } from './binaries.ts';

/** Runs Go in a folder. */
export type Go = (folder: string, ...args: string[]) => ReturnType<typeof runCommand>;

interface Buildable {
  /** Import path of the program. */
  readonly program: string;
  readonly ldflags: string;
}

const kubernetesMinor = versions.kubectl.split('.')[1] ?? '';

/** Makes a module in `work` from which `go build` makes the program. */
export function makeModule(work: string, binary: Binary, go: Go): Promise<Buildable> {
  switch (binary) {
    case 'etcd':
      return requiring(work, 'go.etcd.io/etcd/server/v3', '', binary, go);
    case 'coredns':
      return corednsModule(work, go);
    case 'helm':
      return requiring(work, 'helm.sh/helm/v3', '/cmd/helm', binary, go);
    case 'pause':
      return pauseModule(work);
    default:
      return kubernetesModule(work, binary, go);
  }
}

/** `go install` refuses a module that replaces others, as etcd does; as a requirement of another module those lines do not count. */
async function requiring(
  work: string,
  module: string,
  program: string,
  binary: Binary,
  go: Go,
): Promise<Buildable> {
  const version = `v${versions[binary]}`;
  writeFileSync(join(work, 'go.mod'), `module build\n\ngo 1.26\n\nrequire ${module} ${version}\n`);
  const source = await download(work, `${module}@${version}`, go);
  writeFileSync(join(work, 'go.sum'), readFileSync(join(source, 'go.sum')));
  return { program: `${module}${program}`, ldflags: binary === 'helm' ? helmFlags() : '' };
}

/** Without these Helm takes Kubernetes 1.20 for `helm template` and `helm lint`, and charts that ask for more fail. */
function helmFlags(): string {
  const parts = ['helm.sh/helm/v3/pkg/lint/rules', 'helm.sh/helm/v3/pkg/chartutil'];
  return [
    `-X helm.sh/helm/v3/internal/version.version=v${versions.helm}`,
    ...parts.map(
      (part) => `-X ${part}.k8sVersionMajor=1 -X ${part}.k8sVersionMinor=${kubernetesMinor}`,
    ),
  ].join(' ');
}

async function corednsModule(work: string, go: Go): Promise<Buildable> {
  const { ldflags } = await requiring(work, 'github.com/coredns/coredns', '', 'coredns', go);
  return ownProgram(work, 'dns', ldflags);
}

async function pauseModule(work: string): Promise<Buildable> {
  writeFileSync(join(work, 'go.mod'), 'module build\n\ngo 1.26\n');
  return ownProgram(work, 'pause', '');
}

/** One of which main.go is here. */
function ownProgram(work: string, folder: string, ldflags: string): Buildable {
  const source = fileURLToPath(new URL(`${folder}/main.go`, import.meta.url));
  cpSync(source, join(work, 'main.go'));
  return { program: '.', ldflags };
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
  const ldflags = ['k8s.io/component-base/version', 'k8s.io/client-go/pkg/version'].flatMap(
    (part) => [
      `-X ${part}.gitVersion=v${version}`,
      `-X ${part}.gitMajor=1 -X ${part}.gitMinor=${kubernetesMinor} -X ${part}.gitTreeState=clean`,
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

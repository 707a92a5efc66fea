/**
 * Writes what is generated and committed: TypeScript types of the wire contract, the CRD's YAML, the page of the policy.
 * With --check it writes nothing and fails when a file would change.
 */
import { execFileSync } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { budgetDefinitionYaml } from '../crds/budget-definition.ts';
import { policyDefinitionYaml } from '../crds/custom-resource-definition.ts';
import { policyPage } from '../crds/policy-page.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const check = process.argv.includes('--check');
const scratch = mkdtempSync(join(tmpdir(), 'holdfast-generate-'));

/** Folder or file in the repository → how it is made: `out` is a path where nothing is yet. */
const outputs: Record<string, (out: string) => void> = {
  'platform/gen': (out) => protoTypes(out),
  'crds/resilience-policy.yaml': (out) => writeFileSync(out, policyDefinitionYaml()),
  'crds/connection-budget.yaml': (out) => writeFileSync(out, budgetDefinitionYaml()),
  'charts/holdfast/definitions': (out) => chartDefinitions(out),
  'docs/policy.md': (out) => writeFileSync(out, policyPage()),
};

/** The CRDs as the chart installs them: `helm uninstall` leaves them, and everybody's policies with them. */
function chartDefinitions(out: string): void {
  mkdirSync(out);
  const keep = 'metadata:\n  annotations:\n    helm.sh/resource-policy: keep\n';
  const definitions = {
    'resilience-policy.yaml': policyDefinitionYaml(),
    'connection-budget.yaml': budgetDefinitionYaml(),
  };
  for (const [name, text] of Object.entries(definitions)) {
    writeFileSync(join(out, name), text.replace(/^metadata:\n/m, keep));
  }
}

function protoTypes(out: string): void {
  const generator = join(root, 'node_modules/.bin/proto-loader-gen-types');
  // The options match those of `loadSync` in platform/grpc/contract.ts; a test holds them together.
  execFileSync(
    process.execPath,
    [
      generator,
      '--longs=String',
      '--enums=String',
      '--defaults',
      '--oneofs',
      '--includeComments',
      '--grpcLib=@grpc/grpc-js',
      '--importFileExtension=.ts',
      '-I',
      join(root, 'proto'),
      '-O',
      out,
      'holdfast/v1/holdfast.proto',
      'holdfast/control/v1/discovery.proto',
    ],
    { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] },
  );
  // The generator writes this machine's paths and trailing blanks.
  for (const [path, text] of filesOf(out)) {
    writeFileSync(
      join(out, path),
      text.replaceAll(`${root}proto/`, 'proto/').replaceAll(/[ \t]+$/gm, ''),
    );
  }
}

/** Path below `folder` → text; a file stands under the empty path. */
function filesOf(folder: string): Map<string, string> {
  const found = new Map<string, string>();
  const kind = statSync(folder, { throwIfNoEntry: false });
  if (kind === undefined) return found;
  if (kind.isFile()) return found.set('', readFileSync(folder, 'utf8'));
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    found.set(path.slice(folder.length + 1), readFileSync(path, 'utf8'));
  }
  return found;
}

let stale = 0;
for (const [output, make] of Object.entries(outputs)) {
  const fresh = join(scratch, output);
  mkdirSync(dirname(fresh), { recursive: true });
  make(fresh);
  const target = join(root, output);
  if (check) {
    const committed = filesOf(target);
    const made = filesOf(fresh);
    for (const path of new Set([...committed.keys(), ...made.keys()])) {
      if (committed.get(path) === made.get(path)) continue;
      console.error(`stale: ${join(output, path)} (run: npm run generate)`);
      stale += 1;
    }
  } else {
    rmSync(target, { recursive: true, force: true });
    cpSync(fresh, target, { recursive: true });
  }
}
rmSync(scratch, { recursive: true });
process.exitCode = stale === 0 ? 0 : 1;

import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
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
import { type Go, makeModule } from './go-modules.ts';

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
  for (const [nth, binary] of missing.entries()) {
    const startedAt = performance.now();
    console.log(`building ${binary} ${versions[binary]} (${nth + 1} of ${missing.length})`);
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
    const { program, ldflags } = await makeModule(work, binary, go);
    const made = join(work, 'out');
    const flags = ['-trimpath', '-ldflags', `-s -w ${ldflags}`];
    const built = await go(work, 'build', ...flags, '-o', made, program);
    if (built.succeeded) {
      renameSync(made, binaryPath(binary));
      writeFileSync(stampPath(binary), `${versions[binary]}\n`);
    }
    return built;
  } catch (thrown) {
    return { succeeded: false, code: undefined, output: String(thrown) };
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

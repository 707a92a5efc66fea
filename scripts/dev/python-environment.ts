import { copyFileSync, existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { runCommand } from './run-command.ts';
import type { CommandResult } from './run-command.ts';
import { installSystemPackage } from './system-package.ts';

/** Makes the virtual environment that the examples in Python run in, as their requirements.txt pins it. */
export async function preparePython(checkout: string, signal: AbortSignal): Promise<boolean> {
  const requirements = join(checkout, 'examples/python/requirements.txt');
  const folder = join(checkout, '.holdfast/python');
  const made = join(folder, 'made-from.txt');
  const wanted = readFileSync(requirements, 'utf8');
  if (existsSync(made) && readFileSync(made, 'utf8') === wanted) return true;

  rmSync(folder, { recursive: true, force: true });
  const makeFolder = (): Promise<CommandResult> =>
    runCommand('python3', ['-m', 'venv', '--clear', folder], { signal });
  let venv = await makeFolder();
  if (!venv.succeeded && (await installSystemPackage('python3-venv', signal))) {
    venv = await makeFolder();
  }
  if (!venv.succeeded) {
    console.log(`${venv.output}\ntype: sudo apt-get install -y python3-venv`);
    return false;
  }
  const pip = join(folder, 'bin/pip');
  const installed = await runCommand(pip, ['install', '-r', requirements], { signal });
  if (!installed.succeeded) {
    console.log(installed.output);
    return false;
  }
  copyFileSync(requirements, made);
  return true;
}

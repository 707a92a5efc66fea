import { fileURLToPath } from 'node:url';
import { diagnosis, helm, kubectl } from './namespace.test-kit.ts';
import { surroundings } from './surroundings.ts';

/** Where the chart is installed. */
export const releaseNamespace = 'holdfast-system';

const release = 'holdfast';
const chart = fileURLToPath(new URL('../../charts/holdfast', import.meta.url));

/** Installs the chart of this checkout with the images under test, and waits until the controller serves; `values` are more of `--set`. */
export async function installHoldfast(values: readonly string[] = []): Promise<void> {
  const { controllerImage, sidecarImage } = surroundings();
  const set = [
    ...imageValues('controller', controllerImage),
    ...imageValues('sidecar', sidecarImage),
  ];
  const options = ['--namespace', releaseNamespace, '--create-namespace', '--wait', '--timeout=3m'];
  const more = [...set, ...values].flatMap((value) => ['--set', value]);
  try {
    await helm('upgrade', '--install', release, chart, ...options, ...more);
  } catch (error) {
    throw new Error(`${String(error)}\n${await diagnosis(releaseNamespace)}`, { cause: error });
  }
}

/** Removes it; CRDs and what was written of them stay. */
export async function uninstallHoldfast(): Promise<void> {
  await helm('uninstall', release, '--namespace', releaseNamespace, '--wait', '--ignore-not-found');
  await kubectl(['delete', 'namespace', releaseNamespace, '--ignore-not-found', '--wait=false']);
}

const imageValues = (part: string, image: string): string[] => {
  const colon = image.lastIndexOf(':');
  return [
    `${part}.image.repository=${image.slice(0, colon)}`,
    `${part}.image.tag=${image.slice(colon + 1)}`,
  ];
};

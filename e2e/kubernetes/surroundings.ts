import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { type Binary, binaryPath, isBuilt } from '../cluster/binaries.ts';

/** What `npm run e2e` tells the tests, or somebody who brings a cluster. */
const variables = {
  kubeconfig: 'E2E_KUBECONFIG',
  host: 'E2E_HOST',
  sidecarImage: 'E2E_SIDECAR_IMAGE',
  controllerImage: 'E2E_CONTROLLER_IMAGE',
  exampleImage: 'E2E_EXAMPLE_IMAGE',
  fixturesImage: 'E2E_FIXTURES_IMAGE',
} as const;

/** A cluster, images that it has, and the address at which its pods reach this machine. */
export type Surroundings = Readonly<Record<keyof typeof variables, string>>;

/** As the environment of the tests has them. */
export const environmentOf = (surroundings: Surroundings): Record<string, string> =>
  Object.fromEntries(
    Object.entries(variables).map(([name, variable]) => [
      variable,
      surroundings[name as keyof Surroundings],
    ]),
  );

/** Names of the variables that are not set. */
export const missingVariables = (): string[] =>
  Object.values(variables).filter((name) => !process.env[name]);

/** Throws where it was not `npm run e2e` that started the tests. */
export function surroundings(): Surroundings {
  const missing = missingVariables();
  if (missing.length > 0) throw new Error(`${missing.join(', ')} not set; type: npm run e2e`);
  const value = (name: string): string => process.env[name] ?? '';
  return {
    kubeconfig: value(variables.kubeconfig),
    host: value(variables.host),
    sidecarImage: value(variables.sidecarImage),
    controllerImage: value(variables.controllerImage),
    exampleImage: value(variables.exampleImage),
    fixturesImage: value(variables.fixturesImage),
  };
}

/** The program that was built for our node, else the one in PATH. */
export function clientProgram(name: Extract<Binary, 'kubectl' | 'helm'>): string {
  if (isBuilt(name)) return binaryPath(name);
  const found = (process.env['PATH'] ?? '')
    .split(delimiter)
    .map((folder) => join(folder, name))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
  if (found !== undefined) return found;
  throw new Error(`${name} is missing; type: node e2e/cluster/main.ts build`);
}

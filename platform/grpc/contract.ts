import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ServiceDefinition } from '@grpc/grpc-js';
import { loadSync, type Options, type PackageDefinition } from '@grpc/proto-loader';
import protobuf from 'protobufjs';

/** The same as in scripts/generate.ts, which makes the types: a test holds the two together. */
export const loaderOptions: Options = {
  longs: String,
  enums: String,
  defaults: true,
  oneofs: true,
};

const umbrella = 'holdfast/v1/holdfast.proto';

/** Folder of the .proto files: in the repository, or beside the built program. */
export const protoFolder: string =
  [new URL('../../proto', import.meta.url), new URL('../proto', import.meta.url)]
    .map((url) => fileURLToPath(url))
    .find((folder) => existsSync(join(folder, umbrella))) ?? 'proto';

/** Services and messages of holdfast.v1 as grpc-js takes them. */
export function loadContract(options: Options = loaderOptions): PackageDefinition {
  return loadSync(umbrella, { ...options, includeDirs: [protoFolder] });
}

export function serviceOf(contract: PackageDefinition, name: string): ServiceDefinition {
  return definitionOf(contract, `holdfast.v1.${name}`);
}

/** holdfast.control.v1.Discovery: what sidecars and the controller say to each other. */
export function discoveryService(): ServiceDefinition {
  const contract = loadSync('holdfast/control/v1/discovery.proto', {
    ...loaderOptions,
    includeDirs: [protoFolder],
  });
  return definitionOf(contract, 'holdfast.control.v1.Discovery');
}

function definitionOf(contract: PackageDefinition, name: string): ServiceDefinition {
  const definition = contract[name];
  if (definition === undefined || 'format' in definition) {
    throw new Error(`proto has no service ${name}`);
  }
  return definition;
}

/** The same messages for encoding by hand: statuses, frames. */
export function loadMessages(): protobuf.Root {
  const root = new protobuf.Root();
  root.resolvePath = (_origin, target) =>
    protobuf.common.get(target) === null ? join(protoFolder, target) : target;
  root.loadSync(umbrella);
  root.resolveAll();
  return root;
}

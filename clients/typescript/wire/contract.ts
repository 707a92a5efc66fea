import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import protobuf from 'protobufjs';

const folder = fileURLToPath(new URL('../../../proto', import.meta.url));

let root: protobuf.Root | undefined;

/**
 * A message type of the contract by its full name, for everything that is not frequent enough for a codec of its own. The proto files are
 * read on first use: 20 ms, once.
 */
export function messageType(name: string): protobuf.Type {
  if (root === undefined) {
    const loading = new protobuf.Root();
    // protobufjs brings google/protobuf/*.proto itself.
    loading.resolvePath = (_origin, target) =>
      protobuf.common.get(target) === null ? join(folder, target) : target;
    root = loading.loadSync('holdfast/v1/holdfast.proto');
  }
  return root.lookupType(name);
}

const asObject = { longs: Number, enums: String, defaults: true, bytes: Buffer };

/** Decodes a message of the contract; 64-bit numbers as doubles, enums by name, unset fields with their defaults. */
export const decodeMessage = (name: string, bytes: Uint8Array): Record<string, unknown> => {
  const type = messageType(name);
  return type.toObject(type.decode(bytes), asObject);
};

/** Encodes a message of the contract from a plain object with camelCase keys. */
export const encodeMessage = (name: string, message: Record<string, unknown>): Uint8Array => {
  const type = messageType(name);
  return type.encode(type.fromObject(message)).finish();
};

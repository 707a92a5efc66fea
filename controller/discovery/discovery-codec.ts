import type { ServiceDefinition } from '@grpc/grpc-js';
import type { ControllerMessage } from '../../platform/gen/holdfast/control/v1/ControllerMessage.ts';
import type { Policy } from '../../platform/gen/holdfast/control/v1/Policy.ts';
import type { SidecarMessage__Output } from '../../platform/gen/holdfast/control/v1/SidecarMessage.ts';
import { discoveryService } from '../../platform/grpc/contract.ts';

/** All policies of a pod. The same version has the same content. */
export interface Snapshot {
  readonly version: string;
  readonly policies: readonly Policy[];
}

/** Messages of the discovery stream as bytes, and the service that carries bytes. */
export interface DiscoveryCodec {
  readonly service: ServiceDefinition;
  /** Throws on what is no such message. Fields that it does not know are dropped. */
  decode(bytes: Buffer): SidecarMessage__Output;
  encode(message: ControllerMessage): Buffer;
  /** A snapshot as a ControllerMessage: encoded once for each version, and the same bytes for all. */
  encodeSnapshot(snapshot: Snapshot): Buffer;
}

/** Of snapshots that are kept encoded. */
const mostKeptBytes = 64 * 1024 * 1024;

/** Reads the proto from disk. */
export function discoveryCodec(): DiscoveryCodec {
  const service = discoveryService();
  const { Connect: method } = service;
  if (method === undefined) throw new Error('the proto has no Discovery.Connect');
  const encode = (message: ControllerMessage): Buffer => method.responseSerialize(message);

  const kept = new Map<string, Buffer>();
  let keptBytes = 0;
  const encodeSnapshot = ({ version, policies }: Snapshot): Buffer => {
    const known = kept.get(version);
    const bytes = known ?? encode({ policy: { version, policies: [...policies] } });
    // What was used last stands last.
    if (known === undefined) keptBytes += bytes.length;
    else kept.delete(version);
    kept.set(version, bytes);
    for (const [oldest, { length }] of kept) {
      if (keptBytes <= mostKeptBytes) break;
      kept.delete(oldest);
      keptBytes -= length;
    }
    return bytes;
  };
  return {
    service: {
      Connect: { ...method, requestDeserialize: same<Buffer>, responseSerialize: same<Buffer> },
    },
    decode: (bytes) => method.requestDeserialize(bytes) as SidecarMessage__Output,
    encode,
    encodeSnapshot,
  };
}

const same = <T>(value: T): T => value;

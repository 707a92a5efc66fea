import type { StatusObject } from '@grpc/grpc-js';
import type protobuf from 'protobufjs';
import type { HoldfastError } from '../../platform/errors.ts';
import { loaderOptions } from '../../platform/grpc/contract.ts';
import type { StatusEncoder } from '../../platform/grpc/status.ts';
import type { AnyOperation } from './operation.ts';
import { StrictReader } from './strict-reader.ts';

/** An operation as a session sees it. */
export interface SessionOperation extends AnyOperation {
  /** Its field number in ServerFrame. */
  readonly number: number;
  readonly deserialize: (bytes: Buffer) => unknown;
  readonly serialize: (response: unknown) => Uint8Array;
}

interface PushedMessage {
  readonly number: number;
  readonly serialize: (message: object) => Uint8Array;
}

/** Which request a frame's field number stands for. Taken from ClientFrame and ServerFrame, so that they are the only list. Shared by all sessions. */
export class FrameTable {
  readonly errorNumber: number;
  readonly #operations = new Map<number, SessionOperation>();
  readonly #serverFrame: protobuf.Type;
  readonly #statuses: StatusEncoder;

  constructor(
    operations: readonly AnyOperation[],
    messages: protobuf.Root,
    statuses: StatusEncoder,
  ) {
    const clientFrame = messages.lookupType('holdfast.v1.ClientFrame');
    this.#serverFrame = messages.lookupType('holdfast.v1.ServerFrame');
    this.#statuses = statuses;
    this.errorNumber = field(this.#serverFrame, 'error').id;
    for (const operation of [...operations, cancelOperation]) {
      if (operation.frame === undefined) continue;
      const request = field(clientFrame, operation.frame);
      const response = field(this.#serverFrame, operation.frame);
      this.#operations.set(request.id, {
        ...operation,
        number: response.id,
        deserialize: deserializer(messageOf(request)),
        serialize: serializer(messageOf(response)),
      });
    }
  }

  operation(number: number): SessionOperation | undefined {
    return this.#operations.get(number);
  }

  /** How a message that nobody asked for is sent. */
  push(name: string): PushedMessage {
    const { id, type } = {
      id: field(this.#serverFrame, name).id,
      type: messageOf(field(this.#serverFrame, name)),
    };
    return { number: id, serialize: serializer(type) };
  }

  encodeError(error: HoldfastError): Uint8Array {
    return this.#statuses.encode(error);
  }

  trailer(error: HoldfastError): StatusObject {
    return this.#statuses.trailer(error);
  }
}

/** Only the session itself can run it. */
const cancelOperation: AnyOperation = {
  name: 'Session.Cancel',
  frame: 'cancel',
  exempt: true,
  target: () => '',
  handle: () => Promise.reject(new Error('a cancel is run by its session')),
};

function field(type: protobuf.Type, name: string): protobuf.Field {
  const found = type.fields[name];
  if (found === undefined) throw new Error(`${type.name} has no field ${name}`);
  return found.resolve();
}

function messageOf({ resolvedType, name }: protobuf.Field): protobuf.Type {
  if (resolvedType === null || !('encode' in resolvedType)) {
    throw new Error(`the field ${name} is not a message`);
  }
  return resolvedType;
}

const deserializer =
  (type: protobuf.Type) =>
  (bytes: Buffer): unknown =>
    type.toObject(type.decode(new StrictReader(bytes)), loaderOptions);

const serializer =
  (type: protobuf.Type) =>
  (message: unknown): Uint8Array =>
    type.encode(type.fromObject(message as Record<string, unknown>)).finish();

import { HoldfastError } from '../errors.ts';
import { ByteReader } from './byte-reader.ts';
import type { ByteWriter } from './byte-writer.ts';
import { decodeMessage, messageType } from './contract.ts';
import { readMessage, writeMessage } from './guard-messages.ts';
import type { Operation } from './operations.ts';
import { wholeNumber } from './whole-number.ts';

/** `exclusive`: one holder. `shared`: many, and no exclusive one. `semaphore`: at most `permits`. */
export type LockMode = 'exclusive' | 'shared' | 'semaphore';

/** Why a lock is lost: its time to live passed, it was taken away, it was held for `maxHoldMs`, or its session ended. */
export type Loss = 'expired' | 'forced' | 'held too long' | 'session';

/** holdfast.v1.AcquireRequest. */
export interface AcquireRequest {
  readonly names: readonly string[];
  readonly mode: LockMode | undefined;
  readonly permits: number | undefined;
  readonly ttlMs: number | undefined;
  readonly waitMs: number | undefined;
  readonly owner: string | undefined;
  readonly fence: string | undefined;
  readonly maxHoldMs: number | undefined;
}

/** holdfast.v1.Grant. */
export interface Grant {
  readonly leaseId: string;
  readonly locks: readonly { readonly name: string; readonly token: bigint }[];
  readonly ttlMs: number;
  readonly maxHoldMs: number;
}

/** A lock that somebody holds or waits for. */
export interface LockState {
  readonly name: string;
  readonly mode: LockMode;
  readonly holders: readonly {
    /** Empty when the holder named none. */
    readonly owner: string;
    readonly token: bigint;
    readonly expiresInMs: number;
    /** How often the owner holds it. */
    readonly count: number;
  }[];
  readonly waiting: number;
}

const modes: Readonly<Record<LockMode, number>> = { exclusive: 1, shared: 2, semaphore: 3 };
const modeNames: Readonly<Record<string, LockMode>> = {
  LOCK_MODE_SHARED: 'shared',
  LOCK_MODE_SEMAPHORE: 'semaphore',
};

const losses: Readonly<Record<string, Loss>> = {
  LOSS_REASON_FORCED: 'forced',
  LOSS_REASON_HELD_TOO_LONG: 'held too long',
};

export const releaseLock: Operation<{ readonly leaseId: string }, void> = {
  field: 50,
  path: '/holdfast.v1.Locks/Release',
  exempt: true,
  write: (writer, request) =>
    writeMessage(writer, 'holdfast.v1.ReleaseLockRequest', { ...request }),
  read: (reader, end) => {
    reader.at = end;
  },
  closes: ({ leaseId }) => leaseId,
};

export const acquire: Operation<AcquireRequest, Grant> = {
  field: 48,
  path: '/holdfast.v1.Locks/Acquire',
  exempt: false,
  write: writeAcquire,
  read: readGrant,
  opens: ({ leaseId }) => ({ id: leaseId, undo: { operation: releaseLock, request: { leaseId } } }),
};

/** The request of Acquire and Hold. Throws INVALID_REQUEST. */
export function writeAcquire(
  writer: ByteWriter,
  { mode = 'exclusive', names, owner = '', fence = '', ...more }: AcquireRequest,
): void {
  const number = modes[mode] as number | undefined;
  if (number === undefined) {
    throw HoldfastError.invalid('the mode of a lock is exclusive, shared or semaphore');
  }
  for (const name of names) {
    writer.byte(0x0a);
    writer.string(name);
  }
  writer.byte(0x10);
  writer.byte(number);
  whole(writer, 0x18, 'permits', more.permits);
  whole(writer, 0x20, 'ttlMs', more.ttlMs);
  whole(writer, 0x28, 'waitMs', more.waitMs);
  if (owner !== '') {
    writer.byte(0x32);
    writer.string(owner);
  }
  if (fence !== '') {
    writer.byte(0x3a);
    writer.string(fence);
  }
  whole(writer, 0x40, 'maxHoldMs', more.maxHoldMs);
}

function whole(writer: ByteWriter, tag: number, name: string, value: number | undefined): void {
  if (wholeNumber(name, value) === undefined) return;
  writer.byte(tag);
  writer.varint(value as number);
}

/** Reads holdfast.v1.Grant. */
function readGrant(reader: ByteReader, end: number): Grant {
  let leaseId = '';
  let ttlMs = 0;
  let maxHoldMs = 0;
  const locks: Grant['locks'][number][] = [];
  while (reader.at < end) {
    const tag = reader.varint();
    if (tag === 0x0a) leaseId = reader.string(end);
    else if (tag === 0x12) locks.push(readHeldLock(reader, reader.lengthWithin(end)));
    else if (tag === 0x18) ttlMs = reader.varint();
    else if (tag === 0x20) maxHoldMs = reader.varint();
    else reader.skip(tag, end);
  }
  return { leaseId, locks, ttlMs, maxHoldMs };
}

function readHeldLock(reader: ByteReader, end: number): Grant['locks'][number] {
  let name = '';
  let token = 0n;
  while (reader.at < end) {
    const tag = reader.varint();
    if (tag === 0x0a) name = reader.string(end);
    else if (tag === 0x10) token = BigInt(reader.int64());
    else reader.skip(tag, end);
  }
  return { name, token };
}

export interface HoldEvent {
  readonly granted?: Grant;
  readonly lost?: Loss;
}

/** One message of Hold. */
export function readHoldEvent(bytes: Buffer): HoldEvent {
  const reader = new ByteReader(bytes);
  let event: HoldEvent = {};
  while (reader.at < bytes.length) {
    const tag = reader.varint();
    if (tag === 0x0a) event = { granted: readGrant(reader, reader.lengthWithin(bytes.length)) };
    else if (tag === 0x12) {
      const end = reader.lengthWithin(bytes.length);
      event = { lost: readLockLost(bytes.subarray(reader.at, end)).reason };
      reader.at = end;
    } else reader.skip(tag, bytes.length);
  }
  return event;
}

export function readLockLost(bytes: Buffer): { readonly leaseId: string; readonly reason: Loss } {
  const { leaseId, reason } = decodeMessage('holdfast.v1.LockLost', bytes) as {
    leaseId: string;
    reason: string;
  };
  return { leaseId, reason: losses[reason] ?? 'expired' };
}

export interface LockList {
  readonly locks: readonly LockState[];
  /** There are more. */
  readonly truncated: boolean;
}

export const listLocks: Operation<
  { readonly prefix: string; readonly limit: number | undefined },
  LockList
> = {
  field: 51,
  path: '/holdfast.v1.Locks/List',
  exempt: false,
  write: (writer, { prefix, limit }) =>
    writeMessage(writer, 'holdfast.v1.ListLocksRequest', {
      prefix,
      limit: wholeNumber('limit', limit),
    }),
  read: (reader, end) => {
    const type = messageType('holdfast.v1.LockList');
    const message = type.decode(reader.bytes.subarray(reader.at, end));
    reader.at = end;
    // Tokens may be more than a double holds.
    const { locks, truncated } = type.toObject(message, {
      longs: String,
      enums: String,
      defaults: true,
    }) as { locks: readonly RawState[]; truncated: boolean };
    return { truncated, locks: locks.map(stateOf) };
  },
};

/** Answers with the number of holders that have lost it. */
export const forceRelease: Operation<{ readonly name: string }, number> = {
  field: 52,
  path: '/holdfast.v1.Locks/ForceRelease',
  exempt: false,
  write: (writer, request) =>
    writeMessage(writer, 'holdfast.v1.ForceReleaseRequest', { ...request }),
  read: (reader, end) => readMessage(reader, end, 'holdfast.v1.ForceReleased')['holders'] as number,
};

interface RawState {
  readonly name: string;
  readonly mode: string;
  readonly waiting: number;
  readonly holders: readonly {
    readonly owner: string;
    readonly token: string;
    readonly expiresInMs: number;
    readonly count: number;
  }[];
}

const stateOf = ({ mode, holders, ...state }: RawState): LockState => ({
  ...state,
  mode: modeNames[mode] ?? 'exclusive',
  holders: holders.map(({ token, ...holder }) => ({ ...holder, token: BigInt(token) })),
});

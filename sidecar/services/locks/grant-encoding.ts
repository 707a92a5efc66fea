import { Encoded } from '../../../platform/grpc/encoded.ts';
import {
  varint64Size,
  varintSize,
  writeVarint,
  writeVarint64,
} from '../../../platform/protobuf-wire.ts';
import type { HeldGrant } from './held-grant.ts';

const tag = {
  leaseId: 0x0a, // Grant.lease_id = 1
  lock: 0x12, // Grant.locks = 2
  ttlMs: 0x18, // Grant.ttl_ms = 3
  maxHoldMs: 0x20, // Grant.max_hold_ms = 4
  name: 0x0a, // HeldLock.name = 1
  token: 0x10, // HeldLock.token = 2
} as const;

/** What is left of its time to live; 1 ms at least. */
export const leftMs = ({ endsAtMs }: HeldGrant, nowMs: number): number =>
  Math.max(1, Math.floor(endsAtMs - nowMs));

/** A grant as the bytes of a holdfast.v1.Grant: through a message object it would take longer than all else of its call. */
export function encodedGrant(grant: HeldGrant, nowMs: number): Encoded {
  const { leaseId, locks, request } = grant;
  const ttlMs = leftMs(grant, nowMs);
  const leaseBytes = Buffer.byteLength(leaseId);
  const lockBytes = locks.map(({ claim, token, fence }) => {
    const nameBytes = Buffer.byteLength(claim.name);
    return 1 + varintSize(nameBytes) + nameBytes + tokenBytes(fence ?? token);
  });
  let bytes = 1 + varintSize(leaseBytes) + leaseBytes;
  for (const each of lockBytes) bytes += 1 + varintSize(each) + each;
  bytes += 1 + varintSize(ttlMs) + 1 + varintSize(request.maxHoldMs);

  const out = Buffer.allocUnsafe(bytes);
  let at = writeText(out, 0, tag.leaseId, leaseId, leaseBytes);
  locks.forEach(({ claim, token, fence }, nth) => {
    out[at++] = tag.lock;
    at = writeVarint(out, at, lockBytes[nth] as number);
    at = writeText(out, at, tag.name, claim.name, Buffer.byteLength(claim.name));
    const value = fence ?? token;
    if (value === 0n) return;
    out[at++] = tag.token;
    at = writeVarint64(out, at, value);
  });
  out[at++] = tag.ttlMs;
  at = writeVarint(out, at, ttlMs);
  out[at++] = tag.maxHoldMs;
  writeVarint(out, at, request.maxHoldMs);
  return new Encoded(out);
}

const tokenBytes = (token: bigint): number => (token === 0n ? 0 : 1 + varint64Size(token));

function writeText(
  out: Buffer,
  at: number,
  field: number,
  text: string,
  textBytes: number,
): number {
  out[at] = field;
  let to = writeVarint(out, at + 1, textBytes);
  if (textBytes > text.length) return to + out.write(text, to, textBytes);
  // All of it is ASCII: a call to native code would take longer.
  for (let index = 0; index < textBytes; index += 1) out[to++] = text.charCodeAt(index);
  return to;
}

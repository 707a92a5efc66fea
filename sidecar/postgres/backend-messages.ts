/** Message codes of the server that the sidecar acts on. */
export const code = {
  bindComplete: 0x32,
  closeComplete: 0x33,
  commandComplete: 0x43,
  copyData: 0x64,
  copyDone: 0x63,
  copyInResponse: 0x47,
  copyOutResponse: 0x48,
  dataRow: 0x44,
  emptyQueryResponse: 0x49,
  errorResponse: 0x45,
  /** No message of the server's: its bytes stopped making sense, and none of what follows is read. */
  malformed: 0x00,
  noData: 0x6e,
  noticeResponse: 0x4e,
  /** No message of the server's: a DataRow that was larger than it may be. Its bytes are left out. */
  oversizedRow: 0x01,
  notificationResponse: 0x41,
  parameterStatus: 0x53,
  parseComplete: 0x31,
  readyForQuery: 0x5a,
  rowDescription: 0x54,
} as const;

/** Takes one message: its code, and where its body lies. The bytes are only valid during the call. */
export type OnMessage = (messageCode: number, bytes: Buffer, start: number, end: number) => void;

const headerBytes = 5;
/** More room than this is given back once it is empty. */
const keptBytes = 256 * 1024;

/** Cuts the server's byte stream into messages. Belongs to one connection. */
export class BackendMessages {
  readonly #onMessage: OnMessage;
  readonly #mostRowBytes: () => number;
  /** What is still to come of a row that is left out. */
  #skipBytes = 0;
  /** The start of a message whose rest has not come yet. */
  #partial = Buffer.allocUnsafeSlow(0);
  #partialBytes = 0;
  #malformed = false;

  /** `mostRowBytes`: a DataRow over this size is not gathered, if it does not come in one piece. */
  constructor(onMessage: OnMessage, mostRowBytes: () => number = () => Infinity) {
    this.#onMessage = onMessage;
    this.#mostRowBytes = mostRowBytes;
  }

  push(bytes: Buffer): void {
    if (this.#malformed) return;
    const skipped = Math.min(this.#skipBytes, bytes.length);
    this.#skipBytes -= skipped;
    this.#take(bytes.subarray(skipped));
  }

  #take(received: Buffer): void {
    if (this.#partialBytes === 0) {
      const used = this.#cut(received, received.length);
      if (used < received.length) this.#append(received.subarray(used));
      return;
    }
    this.#append(received);
    const used = this.#cut(this.#partial, this.#partialBytes);
    if (used === 0) return;
    this.#partial.copyWithin(0, used, this.#partialBytes);
    this.#partialBytes -= used;
    if (this.#partialBytes === 0 && this.#partial.length > keptBytes) {
      this.#partial = Buffer.allocUnsafeSlow(0);
    }
  }

  #cut(bytes: Buffer, length: number): number {
    let at = 0;
    while (length - at >= headerBytes) {
      const size = 1 + readInt32(bytes, at + 1);
      if (size < headerBytes) {
        this.#malformed = true;
        this.#onMessage(code.malformed, bytes, at, at);
        return length;
      }
      if (length - at < size) {
        if (bytes[at] !== code.dataRow || size <= this.#mostRowBytes()) break;
        this.#skipBytes = size - (length - at);
        this.#onMessage(code.oversizedRow, bytes, at, at);
        return length;
      }
      this.#onMessage(bytes[at] as number, bytes, at + headerBytes, at + size);
      at += size;
    }
    return at;
  }

  /** Room grows by doubling: a large row that comes in many chunks is copied a few times, not once a chunk. */
  #append(received: Buffer): void {
    const needed = this.#partialBytes + received.length;
    if (needed > this.#partial.length) {
      const roomier = Buffer.allocUnsafeSlow(Math.max(needed, 2 * this.#partial.length, 4096));
      this.#partial.copy(roomier, 0, 0, this.#partialBytes);
      this.#partial = roomier;
    }
    received.copy(this.#partial, this.#partialBytes);
    this.#partialBytes = needed;
  }
}

export function readInt32(bytes: Uint8Array, at: number): number {
  return (
    ((bytes[at] as number) << 24) |
    ((bytes[at + 1] as number) << 16) |
    ((bytes[at + 2] as number) << 8) |
    (bytes[at + 3] as number)
  );
}

export function readInt16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] as number) << 8) | (bytes[at + 1] as number);
}

/** Fields of an ErrorResponse or NoticeResponse by their one-letter code. */
export function readFields(
  bytes: Buffer,
  start: number,
  end: number,
): Readonly<Record<string, string>> {
  const fields: Record<string, string> = {};
  let at = start;
  while (at < end && bytes[at] !== 0) {
    const name = String.fromCharCode(bytes[at] as number);
    const stop = bytes.indexOf(0, at + 1);
    fields[name] = bytes.toString('utf8', at + 1, stop);
    at = stop + 1;
  }
  return fields;
}

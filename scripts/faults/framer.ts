/** How a protocol cuts one direction of a connection into messages. */
export interface Framing {
  /**
   * Looks on from where it stopped: the offset where the message that is under way ends, -1 when it does not end in these bytes,
   * NaN when what comes now has no frames that it knows.
   */
  scan(bytes: Buffer, from: number): number;
  /** Told of each message in order, before the next one is scanned. `bytes` may be the first part of it only. */
  seen(bytes: Buffer): void;
  describe(bytes: Buffer): MessageName;
}

export interface MessageName {
  readonly type: string;
  readonly text: string;
}

/** A whole message, or a part of what is passed on as it comes. */
export interface Piece {
  readonly bytes: Buffer;
  /** Only the first piece of a message has a name. */
  readonly name: (() => MessageName) | undefined;
  /** Whether its message ends with it. */
  readonly last: boolean;
}

/** A message above this many bytes is passed on as it comes, and named by as many of its bytes. */
export const maxHeldBytes = 1 << 20;

/** Cuts one direction of a connection into messages, however its bytes are spread over chunks. */
export class Framer {
  readonly #framing: Framing;
  #held: Buffer[] = [];
  #heldBytes = 0;
  /** The first part of the message under way has gone on. */
  #begun = false;
  #unframed = false;

  constructor(framing: Framing) {
    this.#framing = framing;
  }

  /** Names are true until the next piece is taken. */
  *push(chunk: Buffer): Generator<Piece, void> {
    let from = 0;
    while (from < chunk.length) {
      const end = this.#unframed ? Number.NaN : this.#framing.scan(chunk, from);
      if (Number.isNaN(end)) {
        this.#unframed = true;
        yield* this.rest();
        yield part(chunk.subarray(from), false);
        return;
      }
      const whole = end !== -1;
      const bytes = chunk.subarray(from, whole ? end : chunk.length);
      from += bytes.length;
      if (this.#begun) {
        this.#begun = !whole;
        yield part(bytes, whole);
      } else {
        this.#held.push(bytes);
        this.#heldBytes += bytes.length;
        if (whole || this.#heldBytes > maxHeldBytes) yield this.#message(whole);
      }
    }
  }

  /** What is held of a message that will not be whole. */
  rest(): Piece[] {
    const bytes = this.#taken();
    return bytes.length === 0 ? [] : [part(bytes, false)];
  }

  #message(whole: boolean): Piece {
    const bytes = this.#taken();
    this.#begun = !whole;
    this.#framing.seen(bytes);
    return { bytes, name: () => this.#framing.describe(bytes), last: whole };
  }

  #taken(): Buffer {
    const [only, ...more] = this.#held;
    const bytes = only === undefined || more.length > 0 ? Buffer.concat(this.#held) : only;
    this.#held = [];
    this.#heldBytes = 0;
    return bytes;
  }
}

const part = (bytes: Buffer, last: boolean): Piece => ({ bytes, name: undefined, last });

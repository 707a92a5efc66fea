/**
 * A response that is protobuf bytes already: handlers on the hot path return it where a message object would only be taken apart again.
 * Its parts are messages of the response's type; merged in order, as protobuf merges messages, they are the response.
 */
export class Encoded {
  readonly parts: readonly Uint8Array[];
  #whole: (() => Uint8Array) | undefined;

  constructor(...parts: readonly Uint8Array[]) {
    this.parts = parts;
  }

  /** The response as one message: what a unary call sends. */
  get whole(): Uint8Array {
    if (this.#whole !== undefined) return this.#whole();
    const [only] = this.parts;
    return this.parts.length === 1 && only !== undefined ? only : Buffer.concat(this.parts);
  }

  /**
   * For responses that hold another message: decoders made by protobufjs, as in stock Node clients, keep only the last of
   * several such fields instead of merging them, so the parts may not simply be joined.
   */
  static withWhole(parts: readonly Uint8Array[], whole: () => Uint8Array): Encoded {
    const encoded = new Encoded(...parts);
    encoded.#whole = whole;
    return encoded;
  }
}

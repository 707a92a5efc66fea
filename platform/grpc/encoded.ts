/**
 * A response that is protobuf bytes already: handlers on the hot path return it where a message object would only be taken apart again.
 * Its parts are whole messages of the response's type; merged in order, as protobuf merges messages, they are the response.
 */
export class Encoded {
  readonly parts: readonly Uint8Array[];

  constructor(...parts: readonly Uint8Array[]) {
    this.parts = parts;
  }
}

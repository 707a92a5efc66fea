import protobuf from 'protobufjs';

/** Reads protobuf like protobufjs, but takes no string that is cut off: SQL that lost its end must not run. */
export class StrictReader extends protobuf.BufferReader {
  override string(): string {
    const start = this.pos;
    const length = this.uint32();
    if (this.pos + length > this.len) throw new RangeError('a string is longer than its message');
    this.pos = start;
    return super.string();
  }
}

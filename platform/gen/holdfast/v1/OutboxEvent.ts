// Original file: proto/holdfast/v1/events.proto


export interface OutboxEvent {
  /**
   * What it belongs to: order is kept within a topic and key. 1 to 200 bytes.
   */
  'topic'?: (string);
  /**
   * At most 200 bytes; empty is a key too.
   */
  'key'?: (string);
  /**
   * At most 1 MiB.
   */
  'payload'?: (Buffer | Uint8Array | string);
}

export interface OutboxEvent__Output {
  /**
   * What it belongs to: order is kept within a topic and key. 1 to 200 bytes.
   */
  'topic': (string);
  /**
   * At most 200 bytes; empty is a key too.
   */
  'key': (string);
  /**
   * At most 1 MiB.
   */
  'payload': (Buffer);
}

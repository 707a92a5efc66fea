// Original file: proto/holdfast/v1/events.proto

import type { Long } from '@grpc/proto-loader';

export interface Event {
  /**
   * Its place among all events of the database; what Ack names.
   */
  'cursor'?: (number | string | Long);
  'topic'?: (string);
  'key'?: (string);
  /**
   * Counts the events of its topic and key, from 1.
   */
  'seq'?: (number | string | Long);
  'payload'?: (Buffer | Uint8Array | string);
  /**
   * When it was written, in µs since 1970.
   */
  'atUs'?: (number | string | Long);
}

export interface Event__Output {
  /**
   * Its place among all events of the database; what Ack names.
   */
  'cursor': (string);
  'topic': (string);
  'key': (string);
  /**
   * Counts the events of its topic and key, from 1.
   */
  'seq': (string);
  'payload': (Buffer);
  /**
   * When it was written, in µs since 1970.
   */
  'atUs': (string);
}

const bytes = (message: Buffer): Buffer => message;

/** A stream of bare bytes, both ways. */
export const echoMethod = {
  path: '/bench/Echo',
  requestStream: true,
  responseStream: true,
  requestSerialize: bytes,
  requestDeserialize: bytes,
  responseSerialize: bytes,
  responseDeserialize: bytes,
} as const;

// Original file: proto/holdfast/v1/locks.proto


export interface Renewed {
  'ttlMs'?: (number);
}

export interface Renewed__Output {
  'ttlMs': (number);
}

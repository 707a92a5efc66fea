// Original file: proto/holdfast/v1/locks.proto


export interface ForceReleaseRequest {
  'name'?: (string);
}

export interface ForceReleaseRequest__Output {
  'name': (string);
}

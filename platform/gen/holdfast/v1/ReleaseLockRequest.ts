// Original file: proto/holdfast/v1/locks.proto


export interface ReleaseLockRequest {
  'leaseId'?: (string);
}

export interface ReleaseLockRequest__Output {
  'leaseId': (string);
}

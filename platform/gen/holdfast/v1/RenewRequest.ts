// Original file: proto/holdfast/v1/locks.proto


export interface RenewRequest {
  'leaseId'?: (string);
}

export interface RenewRequest__Output {
  'leaseId': (string);
}

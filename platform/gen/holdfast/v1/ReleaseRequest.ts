// Original file: proto/holdfast/v1/budgets.proto


export interface ReleaseRequest {
  'target'?: (string);
  'reservationId'?: (string);
}

export interface ReleaseRequest__Output {
  'target': (string);
  'reservationId': (string);
}

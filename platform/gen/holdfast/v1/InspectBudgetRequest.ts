// Original file: proto/holdfast/v1/budgets.proto


export interface InspectBudgetRequest {
  'target'?: (string);
  'key'?: (string);
}

export interface InspectBudgetRequest__Output {
  'target': (string);
  'key': (string);
}

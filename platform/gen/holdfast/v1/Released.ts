// Original file: proto/holdfast/v1/budgets.proto


export interface Released {
}

export interface Released__Output {
}

// Original file: proto/holdfast/v1/policies.proto


export interface InspectPoliciesRequest {
}

export interface InspectPoliciesRequest__Output {
}

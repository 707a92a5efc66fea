// Original file: proto/holdfast/v1/session.proto


export interface Cancelled {
}

export interface Cancelled__Output {
}

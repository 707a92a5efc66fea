// Original file: proto/holdfast/v1/events.proto


export interface Acked {
}

export interface Acked__Output {
}

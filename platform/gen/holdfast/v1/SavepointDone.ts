// Original file: proto/holdfast/v1/database.proto


export interface SavepointDone {
}

export interface SavepointDone__Output {
}

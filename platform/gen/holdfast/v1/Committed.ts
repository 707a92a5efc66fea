// Original file: proto/holdfast/v1/database.proto


export interface Committed {
}

export interface Committed__Output {
}

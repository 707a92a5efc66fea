// Original file: proto/holdfast/v1/database.proto


export interface Rollback {
}

export interface Rollback__Output {
}

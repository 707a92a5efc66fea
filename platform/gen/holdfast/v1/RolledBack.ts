// Original file: proto/holdfast/v1/database.proto


export interface RolledBack {
}

export interface RolledBack__Output {
}

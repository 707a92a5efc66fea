// Original file: proto/holdfast/v1/database.proto


export interface Begun {
}

export interface Begun__Output {
}

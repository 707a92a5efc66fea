// Original file: /work/main/proto/holdfast/v1/database.proto


export interface Committed {
}

export interface Committed__Output {
}

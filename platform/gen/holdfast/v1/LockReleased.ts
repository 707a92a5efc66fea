// Original file: proto/holdfast/v1/locks.proto


export interface LockReleased {
}

export interface LockReleased__Output {
}

// Original file: proto/holdfast/v1/redis.proto


export interface Subscribed {
}

export interface Subscribed__Output {
}

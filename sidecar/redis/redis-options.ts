import type { ConnectionOptions } from 'node:tls';

interface HostAndPort {
  readonly host: string;
  readonly port: number;
}

/** Where a Redis is: one server, the master that Sentinels know by a name, or a Cluster of which a few nodes are known. */
export type RedisPlace =
  | ({ readonly kind: 'server' } & HostAndPort)
  | {
      readonly kind: 'sentinel';
      readonly sentinels: readonly HostAndPort[];
      readonly master: string;
      /** Of the Sentinels themselves. */
      readonly sentinelUser: string | undefined;
      readonly sentinelPassword: string | undefined;
    }
  | { readonly kind: 'cluster'; readonly nodes: readonly HostAndPort[] };

/** How one connection is made, and how long it is waited for. */
export interface LinkOptions {
  readonly name: string;
  readonly commandTimeoutMs: number;
  readonly connectTimeoutMs: number;
  readonly connection: {
    readonly place: RedisPlace;
    readonly user: string | undefined;
    readonly password: string | undefined;
    /** Number of the logical database. */
    readonly database: number;
    readonly tls: Pick<ConnectionOptions, 'rejectUnauthorized' | 'ca'> | undefined;
  };
}

/** One Redis as the policy has it, and where it is. */
export interface RedisOptions extends LinkOptions {
  /** Connections that all callers share; of a Cluster, to each node. */
  readonly connections: number;
  /** Most connections for commands that block, each with one of them. */
  readonly blockingConnections: number;
  /** Most commands without an answer. */
  readonly maxInFlight: number;
  /** Of one answer, or of all answers of one pipeline. */
  readonly maxReplyBytes: number;
  /** How long the reply of a script with an operation id is kept. */
  readonly operationTtlMs: number;
  /** Of messages that a subscriber has not taken yet. */
  readonly subscriberBufferBytes: number;
}

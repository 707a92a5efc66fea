import type { ConnectionOptions } from 'node:tls';

/** One Redis as the policy has it, and where it is. */
export interface RedisOptions {
  readonly name: string;
  /** Connections that all callers share. */
  readonly connections: number;
  /** Most commands without an answer. */
  readonly maxInFlight: number;
  readonly commandTimeoutMs: number;
  readonly connectTimeoutMs: number;
  /** Of one answer, or of all answers of one pipeline. */
  readonly maxReplyBytes: number;
  readonly connection: {
    readonly host: string;
    readonly port: number;
    readonly user: string | undefined;
    readonly password: string | undefined;
    /** Number of the logical database. */
    readonly database: number;
    readonly tls: Pick<ConnectionOptions, 'rejectUnauthorized' | 'ca'> | undefined;
  };
}

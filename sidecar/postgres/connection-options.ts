import type { Duplex } from 'node:stream';
import type { Clock } from '../../platform/clock.ts';

/** What a connection is made of. */
export interface ConnectionOptions {
  /** Connected, authenticated, and read by nobody else. */
  readonly socket: Duplex;
  readonly clock: Clock;
  /** Name of the pool, for errors. */
  readonly pool: string;
  /** The server's own limit on a statement. */
  readonly statementTimeoutMs: number;
  /** Whether statements get names that outlive their exchange. */
  readonly preparedStatements: boolean;
  /** Results that are being gathered are to be given up. */
  readonly memoryIsFull?: (() => boolean) | undefined;
  /** Asks the server to cancel whatever this connection runs; resolves when the server has taken the request. */
  readonly requestCancel: () => Promise<void>;
  /** It is over, from the server's side or ours. */
  readonly onBroken?: () => void;
}

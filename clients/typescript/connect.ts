import { type Clock, systemClock } from '../../platform/clock.ts';
import { Budget } from './budget.ts';
import { Channel } from './channel.ts';
import { Database } from './database.ts';
import { HoldfastError } from './errors.ts';
import { Events } from './events.ts';
import { Guard } from './guard.ts';
import { Locks } from './locks.ts';
import { Redis } from './redis.ts';
import { ServerStreams } from './server-streams.ts';
import { sessionsOn } from './session/open-stream.ts';
import { SessionTransport } from './session/session-transport.ts';
import { Sql } from './sql.ts';
import type { Transport } from './transport.ts';
import type { TypeDecoders } from './types/decoders.ts';
import { UnaryTransport } from './unary/unary-transport.ts';
import { Upstream } from './upstream.ts';

export interface ConnectOptions {
  /** `unix:/path/to/socket` or `host:port`. */
  readonly address: string;
  /** For TCP: the content of the sidecar's token file. */
  readonly token?: string | undefined;
  /** Time for a call that names none, in ms; 30,000 by default. */
  readonly deadlineMs?: number | undefined;
  /** `session` (the default) carries all calls on one stream; `unary` makes a gRPC call of each, at several times the cost. */
  readonly transport?: 'session' | 'unary' | undefined;
  /** Decoders by type OID, before the built-in ones: `{ [oids.timestamptz]: toDate }`. */
  readonly types?: TypeDecoders | undefined;
  /** For tests. */
  readonly clock?: Clock | undefined;
}

/** A client of one sidecar. One is enough for a process. */
export interface Holdfast extends AsyncDisposable {
  /** A PostgreSQL pool of the policy; `default` by default. */
  database(pool?: string): Database;
  /** A Redis of the policy; `default` by default. */
  redis(pool?: string): Redis;
  /** An HTTP server of the policy: a target of kind Upstream. */
  upstream(target: string): Upstream;
  /** A target of kind Guard: the policy around calls that you make yourself. */
  guard(target: string): Guard;
  /** The cost budget of a target by itself. */
  budget(target: string): Budget;
  /** What transactions of a PostgreSQL pool of the policy have told with their commit; `default` by default. */
  events(pool?: string): Events;
  /** Locks of the whole fleet. */
  locks(): Locks;
  /**
   * Takes no more calls and waits for those under way, at most `graceMs` (5,000 by default). Then open transactions are rolled back, streams
   * end, and whatever is unanswered fails with `CLIENT_CLOSED` (a Commit with `COMMIT_UNKNOWN`).
   */
  close(options?: { readonly graceMs?: number | undefined }): Promise<void>;
}

/** Makes a client. It connects with its first call, and again whenever the sidecar was away; calls wait for that up to their deadline. */
export function connect({
  address,
  token,
  deadlineMs = 30_000,
  transport: kind = 'session',
  types = {},
  clock = systemClock,
}: ConnectOptions): Holdfast {
  if (!(deadlineMs > 0)) throw HoldfastError.invalid('deadlineMs is above 0');
  const channel = new Channel(address, token);
  const transport: Transport =
    kind === 'unary'
      ? new UnaryTransport({ channel, clock, deadlineMs })
      : new SessionTransport({ clock, deadlineMs, open: sessionsOn(channel) });
  const streams = new ServerStreams({ channel, clock, deadlineMs });
  const sql = new Sql(types);
  const close = async ({
    graceMs = 5_000,
  }: { graceMs?: number | undefined } = {}): Promise<void> => {
    streams.close();
    await transport.close(graceMs);
    channel.client.close();
  };
  return {
    database: (pool = '') => new Database(pool, { transport, streams, sql }),
    redis: (pool = '') => new Redis(pool, transport, streams),
    upstream: (target) => new Upstream(target, transport, streams),
    guard: (target) => new Guard(target, transport, clock),
    budget: (target) => new Budget(target, transport),
    events: (pool = '') => new Events(pool, transport, streams, clock),
    locks: () => new Locks({ transport, streams, deadlineMs }),
    close,
    [Symbol.asyncDispose]: () => close(),
  };
}

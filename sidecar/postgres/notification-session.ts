import { randomInt } from 'node:crypto';
import type { Socket } from 'node:net';
import pg from 'pg';
import type { HostsTarget } from './connect-hosts.ts';
import { countSocket, type CountableWire, type Counting } from './counted-socket.ts';
import { freePermit, type SessionPermit, sessionTooLate } from './session-budget.ts';

/** Where a session that listens connects to; the first host that writes has it. */
export type NotificationTarget = Pick<
  HostsTarget,
  'hosts' | 'user' | 'password' | 'database' | 'tls' | 'applicationName' | 'connectTimeoutMs'
>;

/** A session of the server that hears notifications, and proves that it is there. */
export interface NotificationSession {
  /** Runs one statement after the other. */
  readonly query: (sql: string) => Promise<unknown>;
  readonly onNotification: (listener: (channel: string, payload: string) => void) => void;
  /** At once if it has ended already. */
  readonly onEnd: (listener: () => void) => void;
  /** Ends it. */
  readonly destroy: () => void;
  /** Of the session-level advisory lock (`listenerLocks`, ticket) that it holds: whoever can take it knows that the session is gone. */
  readonly ticket: number;
}

/** First key of the advisory locks of sessions that listen. */
export const listenerLocks = 1_212_563_781;
/** From the farewell to cutting the socket. */
const closeGraceMs = 900;
const mostTickets = 2 ** 31 - 1;

/** Connects to the first host, in order, that answers and is no standby: nobody hears anything there. Rejects with what the last one said. */
export async function openNotificationSession(
  { hosts, tls, password, applicationName, connectTimeoutMs, ...who }: NotificationTarget,
  permit: SessionPermit = freePermit,
): Promise<NotificationSession> {
  let failure: unknown;
  for (const host of hosts) {
    const client = new pg.Client({
      ...who,
      ...host,
      password: password ?? '',
      ssl: tls ?? false,
      application_name: applicationName,
      connectionTimeoutMillis: connectTimeoutMs,
      keepAlive: true,
      keepAliveInitialDelayMillis: 10_000,
    });
    // Heard by whoever uses it, through `end`; unheard it would end the process.
    client.on('error', () => {});
    const counting = countSocket(client.connection as unknown as CountableWire, permit);
    try {
      await client.connect();
      if (!counting.opened()) throw sessionTooLate(applicationName);
      const ticket = randomInt(mostTickets);
      const { rows } = await client.query<{ standby: boolean; ours: boolean }>(
        'select pg_is_in_recovery() as standby, pg_try_advisory_lock($1, $2) as ours',
        [listenerLocks, ticket],
      );
      if (rows[0]?.standby === false && rows[0].ours) return sessionOf(client, ticket, counting);
      failure = new Error(`${host.host} is a standby`);
    } catch (thrown) {
      failure = thrown;
      if ((thrown as { code?: string }).code === '53300') counting.refused();
    }
    counting.closing();
    await client.end().catch(() => {});
  }
  throw failure;
}

function sessionOf(client: pg.Client, ticket: number, counting: Counting): NotificationSession {
  let tail: Promise<unknown> = Promise.resolve();
  return {
    ticket,
    query: (sql) => {
      const asked = tail.catch(() => {}).then(() => client.query(sql));
      tail = asked;
      return asked;
    },
    onNotification: (listener) => {
      client.on('notification', ({ channel, payload = '' }) => listener(channel, payload));
    },
    onEnd: (listener) => {
      if (client.connection.stream.destroyed) listener();
      else client.once('end', listener);
    },
    destroy: () => {
      const stream = client.connection.stream as Socket;
      counting.closing();
      // The server closes it at once: it runs nothing for long.
      stream.setTimeout(closeGraceMs, () => stream.destroy());
      client.end().catch(() => {});
    },
  };
}

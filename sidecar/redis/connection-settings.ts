import type { LinkOptions } from './redis-options.ts';

/** While no Sentinel answers. ioredis asks all of them again after each pause. */
const sentinelPauseMs = 500;

/** What ioredis is told of any connection of ours: where to, who as, and to leave everything that it would do by itself. */
export function connectionSettings({
  connection,
  connectTimeoutMs,
  commandTimeoutMs,
}: LinkOptions) {
  const { user, password, tls, database } = connection;
  return {
    ...placeSettings(connection, commandTimeoutMs),
    db: database,
    ...(user === undefined ? {} : { username: user }),
    ...(password === undefined ? {} : { password }),
    ...(tls === undefined ? {} : { tls }),
    connectionName: 'holdfast',
    connectTimeout: connectTimeoutMs,
    // Its timer would keep the process alive.
    disconnectTimeout: 50,
    // For the handshake; PendingCommand is timed by its Link.
    commandTimeout: commandTimeoutMs,
    // The shapes of replies must not depend on the server's version; RESP3 has others.
    protocol: 2 as const,
    lazyConnect: true,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    autoResubscribe: false,
    // Without this, ioredis forgets the commands of a broken connection until they time out.
    maxRetriesPerRequest: 0,
  };
}

function placeSettings({ place, tls }: LinkOptions['connection'], commandTimeoutMs: number) {
  switch (place.kind) {
    case 'server':
      return { host: place.host, port: place.port };
    case 'sentinel':
      return {
        sentinels: [...place.sentinels],
        name: place.master,
        role: 'master' as const,
        ...(place.sentinelUser === undefined ? {} : { sentinelUsername: place.sentinelUser }),
        ...(place.sentinelPassword === undefined
          ? {}
          : { sentinelPassword: place.sentinelPassword }),
        ...(tls === undefined ? {} : { sentinelTLS: tls, enableTLSForSentinelMode: true }),
        sentinelCommandTimeout: Math.min(commandTimeoutMs, 2_000),
        sentinelRetryStrategy: () => sentinelPauseMs,
      };
    case 'cluster':
      throw new Error('a connection leads to one node of a Cluster');
    default:
      return place satisfies never;
  }
}

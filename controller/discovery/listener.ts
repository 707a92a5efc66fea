import { createServer, type AddressInfo, type Socket } from 'node:net';
import { HoldfastError } from '../../platform/errors.ts';

/** Where connections come in. */
export interface Listener {
  readonly port: number;
  /** Takes no new connections. */
  close(): void;
  /** Ends those that are open, whatever is still on its way. */
  cut(): void;
}

interface ListenerParts {
  readonly host: string;
  readonly port: number;
  readonly onConnection: (socket: Socket) => void;
  /** A connection could not be taken. */
  readonly onFault: (fault: unknown) => void;
}

/** More sidecars than one replica is made for, and those who have not said yet what they are. */
const mostConnections = 25_000;
/** Of one address: a node's, where its pods come from behind it. One pod must not keep all others out. */
const mostOfAddress = 1_000;
/** Nobody but this very pod comes from there. */
const own = ['127.0.0.1', '::1', '::ffff:127.0.0.1'];

/**
 * Listens on `host:port` (port 0 = any free one). grpc-js's own listener has no way to end a connection whose peer does not read. Rejects when the
 * port cannot be had.
 */
export async function listenFor({
  host,
  port,
  onConnection,
  onFault,
}: ListenerParts): Promise<Listener> {
  const sockets = new Set<Socket>();
  const perAddress = new Map<string, number>();
  const server = createServer({ noDelay: true }, (socket) => {
    const { remoteAddress: address = '' } = socket;
    const already = perAddress.get(address) ?? 0;
    if (already >= mostOfAddress && !own.includes(address)) {
      socket.destroy();
      return;
    }
    if (already === mostOfAddress - 1 && !own.includes(address)) {
      onFault(new Error(`${address} has ${mostOfAddress} connections, and gets no more`));
    }
    perAddress.set(address, already + 1);
    sockets.add(socket);
    socket.on('close', () => {
      sockets.delete(socket);
      const left = (perAddress.get(address) ?? 1) - 1;
      if (left === 0) perAddress.delete(address);
      else perAddress.set(address, left);
    });
    onConnection(socket);
  });
  server.maxConnections = mostConnections;
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) => {
      const message = `cannot listen on ${host}:${port}: ${cause.message}`;
      reject(new HoldfastError('already-exists', 'INVALID_REQUEST', message, { cause }));
    });
    // Without a host it is `::`, and 0.0.0.0 where there is no IPv6.
    server.listen({ port, ...(host === '::' ? {} : { host }) }, resolve);
  });
  server.removeAllListeners('error').on('error', onFault);
  return {
    port: (server.address() as AddressInfo).port,
    close: () => void server.close(),
    cut: () => sockets.forEach((socket) => socket.destroy()),
  };
}

import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** The way of one pod to a server. */
export interface PodRoute {
  /** On 127.0.0.1, for the pod's sidecar. */
  readonly port: number;
  close(): Promise<void>;
}

/**
 * As in a cluster each pod has an address of its own: the server sees connections of this route from `address`, by the very port that the sidecar's socket
 * has. All sidecars of a machine would be one client else, and the books of a budget tell pods apart by their addresses.
 */
export async function openRoute(address: string, server: number): Promise<PodRoute> {
  const open = new Set<Socket>();
  const listener = createServer({ allowHalfOpen: true }, (pod) => {
    const there = connect({
      host: '127.0.0.1',
      port: server,
      localAddress: address,
      localPort: pod.remotePort ?? 0,
      allowHalfOpen: true,
    });
    for (const [socket, other] of [
      [pod, there],
      [there, pod],
    ] as const) {
      open.add(socket);
      socket.setNoDelay(true);
      socket.on('error', () => other.resetAndDestroy());
      socket.on('close', () => open.delete(socket));
      socket.pipe(other);
    }
  }).listen(0, '127.0.0.1');
  await once(listener, 'listening');
  return {
    port: (listener.address() as AddressInfo).port,
    close: async () => {
      listener.close();
      for (const socket of open) socket.destroy();
      await once(listener, 'close');
    },
  };
}

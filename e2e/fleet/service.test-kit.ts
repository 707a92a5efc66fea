import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** What a Service is to its clients: one address, behind which some replica is. */
export interface Service {
  /** `host:port` */
  readonly address: string;
  /** Ports of the replicas that are ready. Connections to others stay. */
  endpoints: readonly number[];
  close(): Promise<void>;
}

/** Forwards connections to the endpoints in turn; where nobody listens, to the next. */
export async function openService(): Promise<Service> {
  const open = new Set<Socket>();
  let turn = 0;
  const server = createServer((client) => {
    keep(client, open);
    const { endpoints } = service;
    const first = (turn += 1);
    const attempt = (at: number): void => {
      const port = endpoints[(first + at) % endpoints.length];
      if (port === undefined || at === endpoints.length) return void client.destroy();
      const replica = connect(port, '127.0.0.1');
      keep(replica, open);
      replica.once('error', () => attempt(at + 1));
      replica.once('connect', () => {
        replica.removeAllListeners('error').on('error', () => client.destroy());
        replica.on('close', () => client.destroy());
        client.on('close', () => replica.destroy());
        client.pipe(replica).pipe(client);
      });
    };
    attempt(0);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const service: Service = {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    endpoints: [],
    close: async () => {
      server.close();
      for (const socket of open) socket.destroy();
      await once(server, 'close');
    },
  };
  return service;
}

function keep(socket: Socket, open: Set<Socket>): void {
  open.add(socket);
  socket.setNoDelay(true);
  // Whatever it is, the other half learns of it by the end.
  socket.on('error', () => {});
  socket.on('close', () => open.delete(socket));
}

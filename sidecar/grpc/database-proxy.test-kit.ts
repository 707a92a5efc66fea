import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

interface ProxyOptions {
  /** Changes what goes to the server; undefined holds it back for ever. */
  readonly toServer?: (bytes: Buffer) => Buffer | undefined;
}

/** Stands between a sidecar and the real PostgreSQL, so that a test can change what is said, or cut the line. */
export class DatabaseProxy implements AsyncDisposable {
  /** The database by way of the proxy. */
  readonly url: string;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  constructor(server: Server, url: string) {
    this.#server = server;
    this.url = url;
  }

  static async open(databaseUrl: string, options: ProxyOptions = {}): Promise<DatabaseProxy> {
    const { hostname, port } = new URL(databaseUrl);
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const url = new URL(databaseUrl);
    url.hostname = '127.0.0.1';
    url.port = String((server.address() as AddressInfo).port);
    const proxy = new DatabaseProxy(server, url.href);
    server.on('connection', (near) => {
      const far = connect(Number(port), hostname);
      proxy.#join(near, far, options);
    });
    return proxy;
  }

  /** Cuts every connection, both ways, without a word. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    this.cut();
    await once(this.#server, 'close');
  }

  #join(near: Socket, far: Socket, { toServer = (bytes) => bytes }: ProxyOptions): void {
    near.on('data', (bytes: Buffer) => {
      const changed = toServer(bytes);
      if (changed !== undefined) far.write(changed);
    });
    far.on('data', (bytes: Buffer) => near.write(bytes));
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#sockets.add(one);
      one.on('error', () => {});
      one.on('close', () => {
        this.#sockets.delete(one);
        other.destroy();
      });
    }
  }
}

/** The bytes with one text in place of another of the same length. */
export const replaced = (bytes: Buffer, text: string, by: string): Buffer =>
  Buffer.from(bytes.toString('latin1').replaceAll(text, by), 'latin1');

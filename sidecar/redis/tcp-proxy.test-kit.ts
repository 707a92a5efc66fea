import {
  createConnection,
  createServer,
  type AddressInfo,
  type Server,
  type Socket,
} from 'node:net';

/** A way to a server that can be cut, stopped and closed, as networks do. */
export class TcpProxy {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** Those of the server's side. */
  readonly #answering = new Set<Socket>();
  /** Connections that were made through it so far. */
  made = 0;
  #frozen = false;

  constructor(server: Server) {
    this.#server = server;
  }

  static async to(targetPort: number): Promise<TcpProxy> {
    const server = createServer();
    const proxy = new TcpProxy(server);
    server.on('connection', (near) => proxy.#join(near, targetPort));
    await proxy.#listen(0);
    return proxy;
  }

  #port = 0;

  get port(): number {
    return this.#port;
  }

  /** Breaks every connection, without a farewell. */
  cut(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  /** Lets no more answers through, on connections that are open and on new ones; nobody is told. */
  freeze(): void {
    this.#frozen = true;
    for (const socket of this.#answering) socket.pause();
  }

  /** The same, for one connection only: the one that was made first. */
  freezeFirst(): void {
    for (const socket of [...this.#answering].slice(0, 1)) socket.pause();
  }

  thaw(): void {
    this.#frozen = false;
    for (const socket of this.#answering) socket.resume();
  }

  /** Refuses connections from now on, and breaks those that are there. */
  async shut(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.cut();
    await closed;
  }

  /** Takes connections again, on the same port. */
  reopen(): Promise<void> {
    return this.#listen(this.#port);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#server.listening) await this.shut();
  }

  #listen(port: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, '127.0.0.1', () => {
        this.#port = (this.#server.address() as AddressInfo).port;
        resolve();
      });
    });
  }

  #join(near: Socket, targetPort: number): void {
    this.made += 1;
    const far = createConnection(targetPort, '127.0.0.1');
    this.#answering.add(far);
    far.on('close', () => this.#answering.delete(far));
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#sockets.add(from);
      from.on('error', () => {});
      from.on('data', (bytes) => to.write(bytes));
      from.on('close', () => {
        this.#sockets.delete(from);
        to.destroy();
      });
    }
    if (this.#frozen) far.pause();
  }
}

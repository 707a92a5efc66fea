import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import type { Fault, ProxiedMessage } from './fault.ts';
import { ProxiedConnection, type Protocol } from './proxied-connection.ts';

export type { Fault, ProxiedMessage } from './fault.ts';

interface Target {
  readonly host: string;
  readonly port: number;
}

/** Stands between a client and a real server on 127.0.0.1, and does to what they say what a test or a bad network would. */
export class FaultProxy implements AsyncDisposable {
  /** Asked about each message in order, once; undefined passes it on. May change at any time. */
  rule: ((message: ProxiedMessage) => Fault | undefined) | undefined;
  readonly #target: Target;
  readonly #protocol: Protocol;
  readonly #server: Server;
  readonly #open = new Set<ProxiedConnection>();
  readonly #stalled = new Set<ProxiedMessage['from']>();
  #bytesPerSecond: number | undefined;
  #port = 0;
  #made = 0;

  private constructor(target: Target, protocol: Protocol) {
    this.#target = target;
    this.#protocol = protocol;
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (near) => this.#join(near));
  }

  static async to(target: Target, protocol: Protocol): Promise<FaultProxy> {
    const proxy = new FaultProxy(target, protocol);
    await proxy.#listen(0);
    return proxy;
  }

  get port(): number {
    return this.#port;
  }

  /** Open just now. */
  get connections(): number {
    return this.#open.size;
  }

  /** Made through it so far. */
  get made(): number {
    return this.#made;
  }

  /** The URL of the target by way of the proxy. */
  through(url: string): string {
    const by = new URL(url);
    by.hostname = '127.0.0.1';
    by.port = String(this.#port);
    return by.href;
  }

  /** So many bytes a second for each direction of each connection; undefined takes the limit away. */
  slow(bytesPerSecond: number | undefined): void {
    this.#bytesPerSecond = bytesPerSecond;
    for (const connection of this.#open) connection.advance();
  }

  /** Passes nothing on, on connections that are open and on new ones, until `release()`; `from`: nothing of what this side says. */
  stall(from?: ProxiedMessage['from']): void {
    for (const side of from === undefined ? (['client', 'server'] as const) : [from]) {
      this.#stalled.add(side);
    }
  }

  /** Ends every stall; what was held goes on. */
  release(): void {
    this.#stalled.clear();
    for (const connection of this.#open) connection.release();
  }

  /** Closes every connection, both sides, without a farewell. */
  cut(): void {
    for (const connection of this.#open) connection.cut();
  }

  /** Refuses connections from now on, and cuts those that are open. */
  async shut(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.cut();
    await closed;
  }

  /** Takes connections again, on the same port. */
  reopen(): Promise<void> {
    return this.#listen(this.#port);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#server.listening) await this.shut();
    else this.cut();
  }

  async #listen(port: number): Promise<void> {
    this.#server.listen(port, '127.0.0.1');
    await once(this.#server, 'listening');
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  #join(near: Socket): void {
    this.#made += 1;
    const { host, port } = this.#target;
    const far = connect({ host, port, allowHalfOpen: true, noDelay: true });
    const connection: ProxiedConnection = new ProxiedConnection({
      near,
      far,
      protocol: this.#protocol,
      number: this.#made,
      rule: () => this.rule,
      stalled: (side) => this.#stalled.has(side),
      bytesPerSecond: () => this.#bytesPerSecond,
      onClose: () => this.#open.delete(connection),
    });
    this.#open.add(connection);
  }
}

/** A proxy to the server of this URL, `postgres://` or `redis://`. */
export function proxyTo(url: string): Promise<FaultProxy> {
  const { protocol, hostname, port } = new URL(url);
  return FaultProxy.to(
    { host: hostname, port: Number(port) },
    protocol === 'redis:' ? 'redis' : 'postgresql',
  );
}

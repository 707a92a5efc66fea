export type SocketState = 'connecting' | 'open' | 'destroyed' | 'abandoned';

interface Socket {
  state: SocketState;
  /** When a connect that was given up can land no more. */
  untilMs: number;
  /** When we closed it. */
  destroyedAtMs: number;
}

/** Sockets to the server by local port. Each counts until the server has closed it: destroying it frees nothing. */
export class Sockets {
  readonly #byPort = new Map<number, Socket>();
  readonly #lateConnectMs: number;

  /** `lateConnectMs`: how long the server lets a connect take (authentication_timeout). */
  constructor(lateConnectMs: number) {
    this.#lateConnectMs = lateConnectMs;
  }

  get size(): number {
    return this.#byPort.size;
  }

  get ports(): number[] {
    return [...this.#byPort.keys()];
  }

  count(state: SocketState): number {
    let count = 0;
    for (const socket of this.#byPort.values()) if (socket.state === state) count += 1;
    return count;
  }

  connecting(port: number, nowMs: number): void {
    const untilMs = nowMs + this.#lateConnectMs;
    this.#byPort.set(port, { state: 'connecting', untilMs, destroyedAtMs: Infinity });
  }

  opened(port: number): void {
    const socket = this.#byPort.get(port);
    if (socket?.state === 'connecting') socket.state = 'open';
  }

  /** Closed by us: the server may not know it yet. */
  destroyed(port: number, nowMs: number): void {
    const socket = this.#byPort.get(port);
    if (socket === undefined) return;
    socket.destroyedAtMs = Math.min(socket.destroyedAtMs, nowMs);
    if (socket.state === 'open') socket.state = 'destroyed';
    else if (socket.state === 'connecting') socket.state = 'abandoned';
  }

  /** Destroyed before `atMs`, and not a word of the server since. */
  unconfirmed(atMs: number): number[] {
    return [...this.#byPort].flatMap(([port, { state, destroyedAtMs }]) =>
      state === 'destroyed' && destroyedAtMs < atMs ? [port] : [],
    );
  }

  /** The server has closed it, or refused it. */
  closed(port: number): void {
    this.#byPort.delete(port);
  }

  /** The server's listing does not show these. One that was connecting may still come. */
  notListed(ports: readonly number[]): void {
    for (const port of ports) {
      if (this.#byPort.get(port)?.state === 'destroyed') this.#byPort.delete(port);
    }
  }

  /** Forgets connects that were given up so long ago that they can land no more. */
  forget(nowMs: number): void {
    for (const [port, { state, untilMs }] of this.#byPort) {
      if (state === 'abandoned' && nowMs >= untilMs) this.#byPort.delete(port);
    }
  }
}

import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { CountedSocket, SessionPermit } from './session-budget.ts';

/** What node-postgres connects with; the stream is another one once TLS is on. */
export interface CountableWire {
  readonly stream: Duplex;
  on(event: string, listener: (argument: never) => void): void;
}

/** A connect in the books of a budget. */
export interface Counting {
  /** The budget took its leave back before a word was said. */
  readonly withheld: boolean;
  /** The session is open. False: close it unused. */
  opened(): boolean;
  refused(): void;
  /** We end it now. */
  closing(): void;
}

/** Codes of errors that say that the server has closed the socket. */
const closedByServer: ReadonlySet<string> = new Set(['ECONNRESET', 'EPIPE']);

/**
 * Follows a socket from its connect to its end. A session counts from the first packet on, which is sent after the listeners of `connect` that were there
 * before. That a socket is gone here says nothing of the server: only its end of it does.
 */
export function countSocket(wire: CountableWire, permit: SessionPermit): Counting {
  let counted: CountedSocket | undefined;
  let withheld = false;
  const follow = (): void => {
    const { stream } = wire;
    let byServer = false;
    stream.on('end', () => (byServer = true));
    stream.on('error', ({ code = '' }: NodeJS.ErrnoException) => {
      if (closedByServer.has(code)) byServer = true;
    });
    stream.on('close', () => {
      if (stream !== wire.stream) return; // TLS has taken over
      if (byServer) counted?.closed();
      else counted?.closing();
    });
  };
  wire.on('connect', () => {
    // A Unix socket has none.
    counted = permit.begin((wire.stream as Socket).localPort ?? 0);
    withheld = counted === undefined;
    if (withheld) wire.stream.destroy();
    else follow();
  });
  wire.on('sslconnect', follow);
  return {
    get withheld() {
      return withheld;
    },
    opened: () => counted?.opened() ?? false,
    refused: () => counted?.refused(),
    closing: () => counted?.closing(),
  };
}

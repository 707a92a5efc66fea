import type { Socket } from 'node:net';
import { bytesFraming } from './bytes-framing.ts';
import type { Fault, ProxiedMessage } from './fault.ts';
import { Framer, type Framing, type Piece } from './framer.ts';
import { Lane, type Strike } from './lane.ts';
import { postgresFraming } from './postgres-framing.ts';
import { redisCommands, redisReplies } from './redis-framing.ts';

export type Protocol = 'postgresql' | 'redis' | 'bytes';

type Side = ProxiedMessage['from'];

interface ConnectionParts {
  readonly near: Socket;
  readonly far: Socket;
  readonly protocol: Protocol;
  readonly number: number;
  readonly rule: () => ((message: ProxiedMessage) => Fault | undefined) | undefined;
  /** Whether what this side says has to wait. */
  readonly stalled: (side: Side) => boolean;
  readonly bytesPerSecond: () => number | undefined;
  readonly onClose: () => void;
}

/** One client and the server behind it: asks the rule about each message and does what it says. */
export class ProxiedConnection {
  readonly #parts: ConnectionParts;
  readonly #lanes: Record<Side, Lane>;
  #stalled = false;

  constructor(parts: ConnectionParts) {
    this.#parts = parts;
    const { near, far } = parts;
    const framings = framingsOf(parts.protocol);
    this.#lanes = {
      client: this.#lane('client', near, far, framings.client),
      server: this.#lane('server', far, near, framings.server),
    };
    let open = 2;
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      // An end is passed on in its turn; what breaks one side breaks the other.
      one.on('error', () => other.destroy());
      one.on('close', () => {
        open -= 1;
        if (open > 0) return;
        this.#closeLanes();
        parts.onClose();
      });
    }
  }

  /** Goes on after a stall. */
  release(): void {
    this.#stalled = false;
    this.advance();
  }

  /** Looks again at what may go on. */
  advance(): void {
    this.#lanes.client.advance();
    this.#lanes.server.advance();
  }

  cut(): void {
    this.#closeLanes();
    this.#parts.near.destroy();
    this.#parts.far.destroy();
  }

  #lane(side: Side, from: Socket, to: Socket, framing: Framing): Lane {
    const { stalled, bytesPerSecond } = this.#parts;
    const lane = new Lane({
      from,
      to,
      bytesPerSecond,
      held: () => this.#stalled || stalled(side),
      strike: (strike) => this.#strike(strike),
    });
    const framer = new Framer(framing);
    let afterwards: Strike | undefined;
    const take = (piece: Piece): void => {
      const fault = this.#faultOf(side, piece);
      const before = fault === undefined ? undefined : deeds(fault, piece.bytes);
      if (before?.latencyMs !== undefined) lane.latencyMs = before.latencyMs;
      afterwards ??= before?.afterwards;
      const strike = before?.strike ?? (piece.last ? afterwards : undefined);
      const hold = before?.stall === true ? () => (this.#stalled = true) : undefined;
      lane.add(before?.bytes ?? piece.bytes, strike, hold);
    };
    from.on('data', (chunk: Buffer) => {
      // Of a server whose client is gone: read, so that it may go on.
      if (lane.closed) return;
      const pieces = framer.push(chunk);
      if (this.#parts.rule() !== undefined || afterwards !== undefined) {
        for (const piece of pieces) take(piece);
      } else {
        const all = Array.from(pieces, ({ bytes }) => bytes);
        if (all.length > 0) lane.add(all.length === 1 ? (all[0] as Buffer) : Buffer.concat(all));
      }
    });
    from.on('end', () => {
      framer.rest().forEach(take);
      lane.end();
    });
    return lane;
  }

  #faultOf(side: Side, { bytes, name }: Piece): Fault | undefined {
    const rule = this.#parts.rule();
    if (rule === undefined || name === undefined) return undefined;
    return rule({ from: side, ...name(), bytes, connection: this.#parts.number });
  }

  #strike(strike: Strike): void {
    const { near, far } = this.#parts;
    if ('cutClient' in strike) {
      this.#lanes.server.close();
      near.destroy();
      far.resume();
      this.#lanes.client.end();
      return;
    }
    this.#closeLanes();
    for (const socket of [near, far]) {
      if ('reset' in strike) socket.resetAndDestroy();
      else socket.destroy();
    }
  }

  #closeLanes(): void {
    this.#lanes.client.close();
    this.#lanes.server.close();
  }
}

interface Deeds {
  readonly bytes?: Buffer;
  /** With these bytes. */
  readonly strike?: Strike;
  /** With the last bytes of the message. */
  readonly afterwards?: Strike;
  readonly latencyMs?: number;
  readonly stall?: boolean;
}

function deeds(fault: Fault, bytes: Buffer): Deeds {
  if ('delayMs' in fault) return { latencyMs: fault.delayMs };
  if ('stall' in fault) return { stall: true };
  if ('instead' in fault) return { bytes: fault.instead };
  if ('reset' in fault) return { bytes: Buffer.alloc(0), strike: fault };
  const where = 'cut' in fault ? fault.cut : fault.cutClient;
  if (where === 'after') return { afterwards: fault };
  const passed = where === 'before' ? 0 : Math.floor(bytes.length / 2);
  return { bytes: bytes.subarray(0, passed), strike: fault };
}

function framingsOf(protocol: Protocol): Record<Side, Framing> {
  switch (protocol) {
    case 'postgresql':
      return postgresFraming();
    case 'redis':
      return { client: redisCommands(), server: redisReplies() };
    case 'bytes':
      return { client: bytesFraming(), server: bytesFraming() };
    default:
      return protocol satisfies never;
  }
}

/** A session on the server, by what SQL cannot change. */
export interface SessionRow {
  readonly address: string;
  readonly port: number;
  /** Backend start, on the server's clock. */
  readonly startedAtMs: number;
}

/** All sessions on the server, as the answer to heartbeat `asked` wanted. */
export interface Listing {
  readonly asked: number;
  readonly rows: readonly SessionRow[];
}

/** What the sidecar says of its sessions to one budget; who it is comes with its stream. */
export interface Heartbeat {
  readonly boot: number;
  /** Ascending within a boot. */
  readonly number: number;
  /** The highest epoch that was seen. */
  readonly epoch: number;
  /** The last heartbeat whose answer is applied; 0 = none. */
  readonly answered: number;
  /** What it may hold now, floor included. */
  readonly share: number;
  /** Sessions that it could use now: in use and waited for. */
  readonly demand: number;
  /** Local ports of sockets and connects under way, until the server has closed them. */
  readonly ports: readonly number[];
  readonly listing?: Listing | undefined;
}

/** The controller's answer to one heartbeat. */
export interface Grant {
  readonly boot: number;
  readonly epoch: number;
  /** The heartbeat that this answers. */
  readonly answers: number;
  readonly floor: number;
  /** Floor included. */
  readonly share: number;
  /** From the heartbeat's send time to the instant when nothing above the floor may be left. */
  readonly leaseMs: number;
  /** Ports of this sidecar that the server has no session of. */
  readonly gone: readonly number[];
}

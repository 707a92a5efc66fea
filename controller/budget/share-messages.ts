/** A session on the server, by what SQL cannot change. */
export interface SessionRow {
  /** Client address. */
  readonly address: string;
  /** Client port. */
  readonly port: number;
  /** Backend start, on the server's clock. */
  readonly startedAtMs: number;
}

/** What a sidecar says of its sessions, about once a second. */
export interface Heartbeat {
  readonly pod: string;
  /** Its address as the server sees it. */
  readonly address: string;
  /** Which start of the sidecar; a newer one has a higher number. */
  readonly boot: number;
  /** Of this heartbeat within its boot, ascending. */
  readonly number: number;
  /** The highest epoch that it has seen. */
  readonly epoch: number;
  /** The last heartbeat that had an answer, which is applied; 0 = none. */
  readonly answered: number;
  /** What it may hold now, floor included. */
  readonly share: number;
  /** Sessions that it could use now: in use and waited for. */
  readonly demand: number;
  /** Local ports of its sockets and connects under way, until the server has closed them. */
  readonly ports: readonly number[];
  /** It is about to exit: it has nothing open and opens nothing more. */
  readonly leaving?: boolean | undefined;
  /** All sessions on the server, as the answer to heartbeat `asked` wanted. */
  readonly listing?: Listing | undefined;
}

export interface Listing {
  readonly asked: number;
  readonly rows: readonly SessionRow[];
}

/** The answer to one heartbeat. */
export interface Grant {
  readonly pod: string;
  readonly boot: number;
  readonly epoch: number;
  /** The heartbeat that this answers. */
  readonly answers: number;
  readonly floor: number;
  /** Floor included. */
  readonly share: number;
  /** From the heartbeat's send time to the instant when nothing above the floor may be left. */
  readonly leaseMs: number;
  /** Please list the server's sessions with the next heartbeat. */
  readonly list: boolean;
  /** Sessions that nobody owns any more: end them. */
  readonly terminate: readonly SessionRow[];
  /** Ports of this sidecar that the server has no session of. */
  readonly gone: readonly number[];
}

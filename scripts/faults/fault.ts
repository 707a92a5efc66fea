/** A message on its way through a proxy. */
export interface ProxiedMessage {
  readonly from: 'client' | 'server';
  /** PostgreSQL: `StartupMessage`, `Query`, `CommandComplete`, …; Redis: a command's name in upper case, or the kind of a reply. */
  readonly type: string;
  /**
   * PostgreSQL: SQL of Query and Parse, of what a Bind or Execute names, tag of CommandComplete, SQLSTATE and message of ErrorResponse;
   * Redis: a command's arguments or a reply's leaves, joined by blanks, at most 200 characters.
   */
  readonly text: string;
  /** Of a message above 1 MiB: its first part. */
  readonly bytes: Buffer;
  /** Connections of a proxy are counted from 1. */
  readonly connection: number;
}

/** Relative to the message: `within` is after half of its bytes. What came before is delivered. */
type Where = 'before' | 'within' | 'after';

/** What happens to a message and its connection. */
export type Fault =
  /** Both sides are closed. */
  | { readonly cut: Where }
  /** The client's side is closed; the server gets what the client said and then the end, as when a network loses the way back. */
  | { readonly cutClient: Where }
  /** Both sides are reset; what was under way is lost. */
  | { readonly reset: true }
  /** The message and what follows on this connection, both ways, wait for `release()`. */
  | { readonly stall: true }
  /** The message and what follows in its direction come so many ms later. */
  | { readonly delayMs: number }
  /** These bytes go on in the message's place; none drop it. */
  | { readonly instead: Buffer };

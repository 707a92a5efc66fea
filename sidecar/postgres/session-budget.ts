import { HoldfastError } from '../../platform/errors.ts';

/** One socket in the books of a budget, from the first word that it says to the server. */
export interface CountedSocket {
  /** The session is open. False: its time is over, close it unused. */
  opened(): boolean;
  /** The server had no session left for it (SQLSTATE 53300). */
  refused(): void;
  /** We end it; it counts until the server has closed it. */
  closing(): void;
  /** The server has closed it. */
  closed(): void;
}

/** Leave to open one session. */
export interface SessionPermit {
  /** A socket of this local port is connected and has said nothing yet; 0 = a Unix socket. Undefined: it must not say anything. */
  begin(port: number): CountedSocket | undefined;
  /** Nothing more is opened under it; what was goes on. */
  end(): void;
}

/** Work on a session that may be cut. */
export interface Cuttable {
  /** What is lost with it: 0 next to nothing … 4 a commit. */
  readonly loss: number;
  cut(): void;
}

/** Who opens sessions under a budget, such as a pool. */
export interface SessionHolder {
  /** Name of its pool. */
  readonly pool: string;
  /** It may only open sessions where the share is at least so large. */
  readonly leastShare: number;
  /** Sessions that it has, those on their way included. */
  readonly sessions: number;
  /** Sessions that it could use now: in use and waited for. */
  readonly demand: number;
  /** Calls that wait for a session. */
  readonly waiting: number;
  /** How long the first of them has, in ms. */
  readonly waitedMs: number;
  /** Ends up to `count` sessions that nobody uses, the longest idle first; the result says how many. */
  closeIdle(count: number): number;
  /** Sessions in use. */
  readonly busy: readonly Cuttable[];
  /** There may be room for more. */
  room(): void;
}

/** A holder's side of its budget. */
export interface SessionBudget {
  /** Leave to open one more session; undefined: not now, `room` is called when it is worth asking again. */
  reserve(): SessionPermit | undefined;
  /** What becomes free now is to be closed. */
  readonly isOver: boolean;
  /** To be called before a session is used: time may have passed unseen. */
  look(): void;
  /** Why there is no session to be had, if the budget is why. */
  fault(): HoldfastError | undefined;
  /** It opens no more, and has nothing any more. */
  leave(): void;
}

/** Joins a budget. */
export type JoinBudget = (holder: SessionHolder) => SessionBudget;

const uncounted: CountedSocket = {
  opened: () => true,
  refused: () => {},
  closing: () => {},
  closed: () => {},
};

/** Where nobody counts. */
export const freePermit: SessionPermit = { begin: () => uncounted, end: () => {} };

const retryAfterMs = 500;

/** A session that the budget does not allow, or not any more. */
export const budgetError = (pool: string, message: string): HoldfastError =>
  new HoldfastError('exhausted', 'CONNECTION_BUDGET', message, { target: pool, retryAfterMs });

/** A session whose time is over before it was used. */
export const sessionTooLate = (pool: string): HoldfastError =>
  budgetError(
    pool,
    `the connection budget of pool "${pool}" has no room for another session just now`,
  );

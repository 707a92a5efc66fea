import type { ListingTimes } from './listing-turns.ts';

/** What the owner of the database allows. */
export interface BudgetTerms {
  /** Sessions on the server. */
  readonly total: number;
  /** Of these, for others than sidecars. */
  readonly reserve: number;
  /** What each pod keeps without the controller, as far as floors are at most half of the budget. */
  readonly floor: number;
  /** Most for one pod. */
  readonly ceiling: number;
  /** How long a grant runs from the send time of its heartbeat. */
  readonly leaseMs: number;
}

/** What the books need besides the terms. */
export interface BooksOptions extends ListingTimes {
  /** A deleted pod that was not heard for so long, and has no session, is gone. */
  readonly forgetAfterMs: number;
  /** That the ledger has room for; others are not answered. */
  readonly mostPods: number;
  /** By the Lease, and a clock that does not stand still while the process or its machine does. */
  readonly isLeading: () => boolean;
}

/** What the books come to, in sessions. */
export interface BooksSummary {
  readonly pods: number;
  /** Sessions that sidecars have, or may have. */
  readonly counted: number;
  /** Sessions of others. */
  readonly foreign: number;
  /** Of all pods. */
  readonly floors: number;
  /** What all who are heard ask for. */
  readonly demand: number;
  /** Some pods have no floor, because floors would be more than half, or no place in the ledger. */
  readonly tooSmall: boolean;
}

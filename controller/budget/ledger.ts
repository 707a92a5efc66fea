/** What has to outlive every controller: it stands in the budget's status. */
export interface Ledger {
  /** Raised by each write; a write names the version that it replaces. */
  readonly version: number;
  /** Of the leader that wrote it; 0 = there was none yet. */
  readonly epoch: number;
  /** The longest that a grant may run. */
  readonly leaseMs: number;
  readonly entries: readonly LedgerEntry[];
}

/** A sidecar that may have sessions, and what it keeps without asking anybody. */
export interface LedgerEntry {
  readonly pod: string;
  readonly address: string;
  readonly boot: number;
  readonly floor: number;
  /** An earlier boot may have left sessions, which are not this one's. */
  readonly former: boolean;
}

export const emptyLedger: Ledger = { version: 0, epoch: 0, leaseMs: 0, entries: [] };

/**
 * The ledger as the next leader takes it over: to be written before it grants anything. A budget that was deleted and made again has none, but sidecars
 * remember its epoch: `epochAtLeast` grows with time.
 */
export const succeed = (ledger: Ledger, epochAtLeast = 1): Ledger => ({
  ...ledger,
  version: ledger.version + 1,
  epoch: Math.max(ledger.epoch + 1, epochAtLeast),
});

/** How much may be spent, in units of the caller's choice, in each window. */
export interface CostSettings {
  readonly limit: number;
  readonly windowMs: number;
  /** Share of the limit, 0 to 1, from which on spending is worth a warning. */
  readonly warnAt: number;
}

/** What was put aside for one call. */
export interface Reservation {
  readonly key: string;
  readonly windowStartMs: number;
  /** What it is charged when nobody says otherwise. */
  readonly estimate: number;
  /** Then it is charged its estimate. */
  readonly expiresAtMs: number;
  state: 'open' | 'settled' | 'released' | 'expired';
}

/** One key in one window. */
export interface CostAccount {
  /** Of calls that ended, at most their estimates. */
  readonly settled: number;
  /** For calls that have not ended. */
  readonly reserved: number;
  /** What calls cost above their estimates: nobody could refuse it any more, but it is taken from what is left. */
  readonly overshoot: number;
}

/** Keys that are kept at once. Callers choose them: what nobody has bounded grows. */
const mostKeys = 10_000;

interface Account {
  windowStartMs: number;
  settled: number;
  reserved: number;
  overshoot: number;
  warned: boolean;
  readonly open: Set<Reservation>;
}

/** Refusal: when the next window begins, in ms. */
export interface OverBudget {
  readonly retryAfterMs: number;
  readonly account: CostAccount;
}

const empty: CostAccount = { settled: 0, reserved: 0, overshoot: 0 };

/**
 * A budget of one pod, in memory: settled + reserved of a key and window is never above the limit. A call reserves its estimate before it starts and settles
 * what it cost; a reservation that nobody settles is charged in full when it expires, because nobody knows that it was not spent.
 *
 * Windows begin at multiples of their length (of the wall clock). What was reserved in a window is charged to it, however late it is settled.
 */
export class CostBudget {
  readonly #accounts = new Map<string, Account>();
  readonly #onWarning: (key: string, account: CostAccount) => void;
  #settings: CostSettings;

  constructor(
    settings: CostSettings,
    onWarning: (key: string, account: CostAccount) => void = () => {},
  ) {
    this.#settings = settings;
    this.#onWarning = onWarning;
  }

  /** Puts `estimate` aside until it is settled, released, or `ttlMs` old. */
  reserve(key: string, estimate: number, ttlMs: number, wallMs: number): Reservation | OverBudget {
    this.#makeRoom(key, wallMs);
    const account = this.#accountOf(key, wallMs);
    const { limit, windowMs } = this.#settings;
    const { windowStartMs } = account;
    // With too many keys in one window nobody could be held to his any more.
    if (spent(account) + estimate > limit || this.#accounts.size > mostKeys) {
      if (account.open.size === 0 && spent(account) === 0) this.#accounts.delete(key);
      const retryAfterMs = Math.max(1, windowStartMs + windowMs - wallMs);
      return { retryAfterMs, account: snapshot(account) };
    }
    const expiresAtMs = wallMs + ttlMs;
    const made: Reservation = { key, windowStartMs, estimate, expiresAtMs, state: 'open' };
    account.reserved += estimate;
    account.open.add(made);
    this.#warn(key, account);
    return made;
  }

  /** Charges what it cost. Returns by how much that is above what was put aside; again, or too late, it changes nothing. */
  settle(reservation: Reservation, actual: number, wallMs: number): number {
    const account = this.#close(reservation, 'settled', wallMs);
    if (account === undefined) return 0;
    const overshoot = Math.max(0, actual - reservation.estimate);
    account.settled += Math.min(actual, reservation.estimate);
    account.overshoot += overshoot;
    this.#warn(reservation.key, account);
    return overshoot;
  }

  /** Nothing was spent. */
  release(reservation: Reservation, wallMs: number): void {
    this.#close(reservation, 'released', wallMs);
  }

  account(key: string, wallMs: number): CostAccount {
    const account = this.#accounts.get(key);
    if (account === undefined) return empty;
    return snapshot(this.#accountOf(key, wallMs));
  }

  /** A new limit from now on; what was spent stays spent. A window of another length begins at once. */
  configure(settings: CostSettings): void {
    if (settings.windowMs !== this.#settings.windowMs) this.#accounts.clear();
    this.#settings = settings;
  }

  #accountOf(key: string, wallMs: number): Account {
    const { windowMs } = this.#settings;
    const windowStartMs = Math.floor(wallMs / windowMs) * windowMs;
    let account = this.#accounts.get(key);
    if (account === undefined || account.windowStartMs < windowStartMs) {
      account = { windowStartMs, ...empty, warned: false, open: new Set() };
      this.#accounts.set(key, account);
    }
    for (const reservation of account.open) {
      if (reservation.expiresAtMs > wallMs) continue;
      this.#charge(account, reservation, 'expired');
      account.settled += reservation.estimate;
    }
    return account;
  }

  /** Forgets the accounts of windows that are over, when there are too many for another key. */
  #makeRoom(key: string, wallMs: number): void {
    if (this.#accounts.size < mostKeys || this.#accounts.has(key)) return;
    const { windowMs } = this.#settings;
    const windowStartMs = Math.floor(wallMs / windowMs) * windowMs;
    for (const [each, account] of this.#accounts) {
      if (account.windowStartMs < windowStartMs) this.#accounts.delete(each);
    }
  }

  #close(
    reservation: Reservation,
    state: Reservation['state'],
    wallMs: number,
  ): Account | undefined {
    const account = this.#accountOf(reservation.key, wallMs);
    if (reservation.state !== 'open') return undefined;
    // Of an earlier window: there is nothing left to be charged to.
    if (!account.open.has(reservation)) {
      reservation.state = state;
      return undefined;
    }
    this.#charge(account, reservation, state);
    return account;
  }

  #charge(account: Account, reservation: Reservation, state: Reservation['state']): void {
    reservation.state = state;
    account.open.delete(reservation);
    account.reserved -= reservation.estimate;
    if (account.open.size === 0) account.reserved = 0; // no rest of adding fractions
  }

  #warn(key: string, account: Account): void {
    const { limit, warnAt } = this.#settings;
    if (account.warned || spent(account) < warnAt * limit) return;
    account.warned = true;
    this.#onWarning(key, snapshot(account));
  }
}

export const isOverBudget = (result: Reservation | OverBudget): result is OverBudget =>
  'retryAfterMs' in result;

const spent = ({ settled, reserved, overshoot }: CostAccount): number =>
  settled + reserved + overshoot;

const snapshot = ({ settled, reserved, overshoot }: CostAccount): CostAccount => ({
  settled,
  reserved,
  overshoot,
});

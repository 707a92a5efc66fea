import type { Clock } from '../../platform/clock.ts';
import type { Deadlines } from '../../platform/deadlines.ts';
import {
  mostOvershoot,
  spentOf,
  type CostAccount,
  type CostEvents,
  type CostLedger,
  type CostSettings,
  type Micros,
  type ReservationRequest,
  type Reserved,
} from './cost-ledger.ts';
import {
  costBooksFull,
  costExceeded,
  reservationIdUsed,
  unknownReservation,
} from './cost-refusals.ts';

interface LedgerParts {
  /** Name of the target, for errors. */
  readonly target: string;
  readonly clock: Clock;
  readonly deadlines: Deadlines;
  readonly events: CostEvents;
}

/** One key in one window. */
interface Account {
  settled: Micros;
  reserved: Micros;
  overshoot: Micros;
  /** Reservations without an end. */
  open: number;
  warned: boolean;
}

interface Reservation {
  readonly id: string;
  readonly key: string;
  readonly amount: Micros;
  /** Of the window that it was made in: what is settled later is charged there. */
  readonly account: Account;
  readonly expiresAtMs: number;
  state: 'open' | 'settled' | 'released' | 'expired';
  overshoot: Micros;
  unwatch: () => void;
}

/** In one window. */
const mostKeys = 10_000;
const mostOpen = 50_000;
/** Reservations that have ended and are still known, for requests that are repeated. */
const mostEnded = 4_096;

/** The books of one pod, in memory. Windows go by the wall clock, the time of reservations does not. Shared by all calls to a target. */
export class PodLedger implements CostLedger {
  readonly #parts: LedgerParts;
  #settings: CostSettings;
  /** Of the window of now. */
  #accounts = new Map<string, Account>();
  #windowStartsAtMs = 0;
  readonly #reservations = new Map<string, Reservation>();
  /** Ids, in a ring. */
  readonly #ended: string[] = [];
  #oldestEnded = 0;
  #open = 0;

  constructor(settings: CostSettings, parts: LedgerParts) {
    this.#settings = settings;
    this.#parts = parts;
    this.#beginWindow();
  }

  get limit(): Micros {
    return this.#settings.limit;
  }

  reserve({ id, key, amount, ttlMs }: ReservationRequest): Reserved {
    const known = this.#reservations.get(id);
    if (known !== undefined) return this.#again(known, key);
    const { target, clock, deadlines } = this.#parts;
    this.#turnWindow();
    const account = this.#accounts.get(key) ?? newAccount();
    const { limit } = this.#settings;
    if (spentOf(account) + amount > limit) {
      throw costExceeded(target, amount, limit, this.#snapshot(account));
    }
    if (this.#open >= mostOpen) throw costBooksFull(target, `${mostOpen} open reservations`, 1_000);
    // With more keys nobody could be held to his any more.
    if (!this.#accounts.has(key) && this.#accounts.size >= mostKeys) {
      throw costBooksFull(target, `${mostKeys} keys in this window`, this.#windowEndsInMs());
    }
    this.#accounts.set(key, account);
    account.reserved += amount;
    account.open += 1;
    const expiresAtMs = clock.now() + ttlMs;
    const made: Reservation = {
      id,
      key,
      amount,
      account,
      expiresAtMs,
      state: 'open',
      overshoot: 0,
      unwatch: deadlines.watch(expiresAtMs, () => this.#expire(made)),
    };
    this.#reservations.set(id, made);
    this.#open += 1;
    this.#warn(account);
    return { id, amount, expiresInMs: ttlMs, account: this.#snapshot(account) };
  }

  settle(id: string, actual: Micros | undefined): Micros {
    const reservation = this.#find(id);
    if (reservation.state === 'settled') return reservation.overshoot;
    if (reservation.state !== 'open') throw unknownReservation(this.#parts.target);
    const { account, amount } = reservation;
    const { events } = this.#parts;
    const spent = actual ?? amount;
    const charged = Math.min(spent, amount);
    const overshoot = spent - charged;
    account.settled += charged;
    account.overshoot = Math.min(mostOvershoot, account.overshoot + overshoot);
    reservation.overshoot = overshoot;
    this.#end(reservation, 'settled');
    events.charged(charged);
    if (overshoot > 0) events.overshot(overshoot);
    this.#warn(account);
    return overshoot;
  }

  release(id: string): void {
    const reservation = this.#find(id);
    if (reservation.state === 'released') return;
    if (reservation.state !== 'open') throw unknownReservation(this.#parts.target);
    this.#end(reservation, 'released');
  }

  account(key: string): CostAccount {
    this.#turnWindow();
    return this.#snapshot(this.#accounts.get(key) ?? newAccount());
  }

  /** What was spent stays spent; but windows of another length begin anew, and at once. */
  configure(settings: CostSettings): void {
    const { windowMs } = this.#settings;
    this.#settings = settings;
    if (settings.windowMs !== windowMs) this.#beginWindow();
  }

  /** Who asks again learns of his reservation, and nothing more is put aside. */
  #again(known: Reservation, key: string): Reserved {
    const { target, clock } = this.#parts;
    if (known.key !== key) throw reservationIdUsed(target);
    const expiresInMs = known.expiresAtMs - clock.now();
    if (expiresInMs <= 0) this.#expire(known);
    if (known.state !== 'open') throw unknownReservation(target);
    return { id: known.id, amount: known.amount, expiresInMs, account: this.account(key) };
  }

  #find(id: string): Reservation {
    const found = this.#reservations.get(id);
    if (found === undefined) throw unknownReservation(this.#parts.target);
    // The wheel rings a little late.
    if (this.#parts.clock.now() >= found.expiresAtMs) this.#expire(found);
    return found;
  }

  #expire(reservation: Reservation): void {
    if (reservation.state !== 'open') return;
    reservation.account.settled += reservation.amount;
    this.#end(reservation, 'expired');
    this.#parts.events.expired(reservation.amount);
  }

  #end(reservation: Reservation, state: Reservation['state']): void {
    const { id, key, account, amount } = reservation;
    reservation.state = state;
    reservation.unwatch();
    reservation.unwatch = nothing;
    account.reserved -= amount;
    account.open -= 1;
    this.#open -= 1;
    // A key that came to nothing takes no place.
    const isEmpty = account.open === 0 && spentOf(account) === 0;
    if (isEmpty && this.#accounts.get(key) === account) this.#accounts.delete(key);
    if (this.#ended.length < mostEnded) {
      this.#ended.push(id);
      return;
    }
    this.#reservations.delete(this.#ended[this.#oldestEnded] as string);
    this.#ended[this.#oldestEnded] = id;
    this.#oldestEnded = (this.#oldestEnded + 1) % mostEnded;
  }

  #turnWindow(): void {
    const { windowMs } = this.#settings;
    const intoMs = this.#parts.clock.wallNow() - this.#windowStartsAtMs;
    // A wall clock that was set back a little does not begin a window once more.
    if (intoMs >= windowMs || intoMs < -windowMs) this.#beginWindow();
  }

  #beginWindow(): void {
    const { windowMs } = this.#settings;
    this.#windowStartsAtMs = Math.floor(this.#parts.clock.wallNow() / windowMs) * windowMs;
    this.#accounts = new Map();
  }

  #windowEndsInMs(): number {
    return this.#windowStartsAtMs + this.#settings.windowMs - this.#parts.clock.wallNow();
  }

  #warn(account: Account): void {
    const { limit, warnAt } = this.#settings;
    if (account.warned || spentOf(account) < warnAt * limit) return;
    account.warned = true;
    this.#parts.events.warned();
  }

  #snapshot({ settled, reserved, overshoot }: Account): CostAccount {
    return { settled, reserved, overshoot, windowEndsInMs: this.#windowEndsInMs() };
  }
}

const newAccount = (): Account => ({
  settled: 0,
  reserved: 0,
  overshoot: 0,
  open: 0,
  warned: false,
});

function nothing(): void {}

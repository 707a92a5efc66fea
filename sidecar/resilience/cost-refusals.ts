import { HoldfastError } from '../../platform/errors.ts';
import { unitsOf, type CostAccount, type Micros } from './cost-ledger.ts';

/** What was asked for does not fit into what is left of the window. */
export function costExceeded(
  target: string,
  amount: Micros,
  limit: Micros,
  account: CostAccount,
): HoldfastError {
  const settled = unitsOf(account.settled);
  const reserved = unitsOf(account.reserved);
  const overshoot = unitsOf(account.overshoot);
  const over = overshoot === 0 ? '' : `, ${overshoot} were spent beyond what was put aside`;
  return new HoldfastError(
    'exhausted',
    'COST_BUDGET_EXCEEDED',
    `${unitsOf(amount)} for a call to "${target}" do not fit into its budget of ${unitsOf(limit)}: ${settled} are spent, ${reserved} put aside${over}`,
    {
      target,
      retryAfterMs: Math.max(1, Math.ceil(account.windowEndsInMs)),
      metadata: {
        limit: `${unitsOf(limit)}`,
        settled: `${settled}`,
        reserved: `${reserved}`,
        overshoot: `${overshoot}`,
      },
    },
  );
}

/** Callers choose keys and how long reservations are open: what nobody bounds grows. `what` is the bound that is reached. */
export const costBooksFull = (target: string, what: string, retryAfterMs: number): HoldfastError =>
  new HoldfastError(
    'exhausted',
    'COST_BUDGET_EXCEEDED',
    `the budget of "${target}" has ${what}, more than it can keep`,
    { target, retryAfterMs: Math.max(1, Math.ceil(retryAfterMs)) },
  );

export const unknownReservation = (target: string): HoldfastError =>
  new HoldfastError(
    'not-found',
    'UNKNOWN_RESERVATION',
    `no reservation of this id is open in the budget of "${target}": it has ended, or never was`,
    { target },
  );

/** The same id stands for another reservation. */
export const reservationIdUsed = (target: string): HoldfastError =>
  new HoldfastError(
    'invalid',
    'INVALID_REQUEST',
    `the reservation_id is that of a reservation for another key in the budget of "${target}"`,
    { target },
  );

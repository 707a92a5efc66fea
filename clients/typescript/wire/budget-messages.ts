import { readMessage, writeMessage } from './guard-messages.ts';
import type { Operation } from './operations.ts';
import { wholeNumber } from './whole-number.ts';

/** holdfast.v1.ReserveRequest. */
interface ReserveRequest {
  readonly target: string;
  readonly key: string;
  readonly amount: number | undefined;
  readonly reservationId: string;
  readonly ttlMs: number | undefined;
}

/** One key of a budget, in the window of now; in units of the policy. */
export interface BudgetState {
  readonly limit: number;
  /** Of calls that have ended. */
  readonly settled: number;
  /** For calls that have not. */
  readonly reserved: number;
  /** What calls did cost above what was put aside for them. */
  readonly overshoot: number;
  /** What a new reservation may be. */
  readonly available: number;
  /** Until the next window begins. */
  readonly windowEndsInMs: number;
}

/** holdfast.v1.Reservation. */
export interface ReservationReply {
  readonly reservationId: string;
  readonly amount: number;
  readonly expiresInMs: number;
  readonly budget: BudgetState;
}

interface NamedReservation {
  readonly target: string;
  readonly reservationId: string;
}

export const reserve: Operation<ReserveRequest, ReservationReply> = {
  field: 67,
  path: '/holdfast.v1.Budgets/Reserve',
  exempt: false,
  write: (writer, request) => {
    wholeNumber('ttlMs', request.ttlMs);
    writeMessage(writer, 'holdfast.v1.ReserveRequest', { ...request });
  },
  read: (reader, end) =>
    readMessage(reader, end, 'holdfast.v1.Reservation') as unknown as ReservationReply,
};

/** Answers with the overshoot. */
export const settle: Operation<NamedReservation & { readonly actual: number | undefined }, number> =
  {
    field: 68,
    path: '/holdfast.v1.Budgets/Settle',
    exempt: true,
    write: (writer, request) => writeMessage(writer, 'holdfast.v1.SettleRequest', { ...request }),
    read: (reader, end) => readMessage(reader, end, 'holdfast.v1.Settled')['overshoot'] as number,
  };

export const release: Operation<NamedReservation, void> = {
  field: 69,
  path: '/holdfast.v1.Budgets/Release',
  exempt: true,
  write: (writer, request) => writeMessage(writer, 'holdfast.v1.ReleaseRequest', { ...request }),
  read: () => {},
};

export const inspectBudget: Operation<
  { readonly target: string; readonly key: string },
  BudgetState
> = {
  field: 70,
  path: '/holdfast.v1.Budgets/Inspect',
  exempt: false,
  write: (writer, request) =>
    writeMessage(writer, 'holdfast.v1.InspectBudgetRequest', { ...request }),
  read: (reader, end) =>
    readMessage(reader, end, 'holdfast.v1.BudgetState') as unknown as BudgetState,
};

import type { BudgetState } from '../../../platform/gen/holdfast/v1/BudgetState.ts';
import type { InspectBudgetRequest__Output } from '../../../platform/gen/holdfast/v1/InspectBudgetRequest.ts';
import type { ReleaseRequest__Output } from '../../../platform/gen/holdfast/v1/ReleaseRequest.ts';
import type { Reservation } from '../../../platform/gen/holdfast/v1/Reservation.ts';
import type { ReserveRequest__Output } from '../../../platform/gen/holdfast/v1/ReserveRequest.ts';
import type { Settled } from '../../../platform/gen/holdfast/v1/Settled.ts';
import type { SettleRequest__Output } from '../../../platform/gen/holdfast/v1/SettleRequest.ts';
import type { Operation, OperationTable } from '../../grpc/operation.ts';
import {
  spentOf,
  unitsOf,
  type CostAccount,
  type CostLedger,
  type Micros,
} from '../../resilience/cost-ledger.ts';
import { amountOf, checkedMs, checkedText, invalidRequest } from '../../resilience/cost-request.ts';
import type { TryCost } from '../../resilience/gate.ts';
import type { Targets } from '../../resilience/targets.ts';

interface BudgetParts {
  /** Of reservations whose caller names none. */
  readonly newId: () => string;
}

const mostIdBytes = 64;
const mostTtlMs = 86_400_000;

/** Everything of service Budgets. */
export function budgetOperations(
  targets: Targets,
  { newId }: BudgetParts,
): Pick<OperationTable, 'unary'> {
  const label = ({ target }: { readonly target: string }): string => {
    const guard = targets.label('Guard', target);
    return guard === 'unknown' ? targets.label('Upstream', target) : guard;
  };
  /** Throws UNKNOWN_TARGET. */
  const booksOf = (name: string): { readonly ledger: CostLedger; readonly cost: TryCost } => {
    const { ledger, settings } = targets.withBudget(name);
    return { ledger: ledger as CostLedger, cost: settings.cost as TryCost };
  };

  const reserve: Operation<ReserveRequest__Output, Reservation> = {
    name: 'Budgets.Reserve',
    frame: 'reserve',
    target: label,
    handle: async (request, call) => {
      const { ledger, cost } = booksOf(request.target);
      const key = checkedText('key', request.key);
      const id = checkedText('reservation_id', request.reservationId, mostIdBytes);
      const amount = amountOf('amount', request.amount) ?? cost.estimate;
      const ttlMs = checkedMs('ttl_ms', request.ttlMs, mostTtlMs);
      const made = await ledger.reserve(
        {
          id: id === '' ? newId() : id,
          key,
          amount,
          ttlMs: ttlMs === 0 ? cost.reservationMs : ttlMs,
        },
        call,
      );
      return {
        reservationId: made.id,
        amount: unitsOf(made.amount),
        expiresInMs: Math.ceil(made.expiresInMs),
        budget: stateOf(ledger.limit, made.account),
      };
    },
  };

  const settle: Operation<SettleRequest__Output, Settled> = {
    name: 'Budgets.Settle',
    frame: 'settle',
    exempt: true,
    target: label,
    handle: async (request, call) => {
      const { ledger } = booksOf(request.target);
      const actual = amountOf('actual', request.actual);
      return {
        overshoot: unitsOf(await ledger.settle(idOf(request), actual, call)),
      };
    },
  };

  const release: Operation<ReleaseRequest__Output, object> = {
    name: 'Budgets.Release',
    frame: 'release',
    exempt: true,
    target: label,
    handle: async (request, call) => {
      await booksOf(request.target).ledger.release(idOf(request), call);
      return {};
    },
  };

  const inspect: Operation<InspectBudgetRequest__Output, BudgetState> = {
    name: 'Budgets.Inspect',
    frame: 'budget',
    target: label,
    handle: async ({ target, key }, call) => {
      const { ledger } = booksOf(target);
      return stateOf(ledger.limit, await ledger.account(checkedText('key', key), call));
    },
  };

  return { unary: [reserve, settle, release, inspect] };
}

/** The id of a reservation that somebody made. */
function idOf({ reservationId }: { readonly reservationId: string }): string {
  if (reservationId === '') throw invalidRequest('reservation_id is empty');
  return checkedText('reservation_id', reservationId, mostIdBytes);
}

const stateOf = (limit: Micros, account: CostAccount): BudgetState => ({
  limit: unitsOf(limit),
  settled: unitsOf(account.settled),
  reserved: unitsOf(account.reserved),
  overshoot: unitsOf(account.overshoot),
  available: unitsOf(Math.max(0, limit - spentOf(account))),
  windowEndsInMs: Math.ceil(account.windowEndsInMs),
});

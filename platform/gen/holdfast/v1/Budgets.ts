// Original file: proto/holdfast/v1/budgets.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { BudgetState as _holdfast_v1_BudgetState, BudgetState__Output as _holdfast_v1_BudgetState__Output } from '../../holdfast/v1/BudgetState.ts';
import type { InspectBudgetRequest as _holdfast_v1_InspectBudgetRequest, InspectBudgetRequest__Output as _holdfast_v1_InspectBudgetRequest__Output } from '../../holdfast/v1/InspectBudgetRequest.ts';
import type { ReleaseRequest as _holdfast_v1_ReleaseRequest, ReleaseRequest__Output as _holdfast_v1_ReleaseRequest__Output } from '../../holdfast/v1/ReleaseRequest.ts';
import type { Released as _holdfast_v1_Released, Released__Output as _holdfast_v1_Released__Output } from '../../holdfast/v1/Released.ts';
import type { Reservation as _holdfast_v1_Reservation, Reservation__Output as _holdfast_v1_Reservation__Output } from '../../holdfast/v1/Reservation.ts';
import type { ReserveRequest as _holdfast_v1_ReserveRequest, ReserveRequest__Output as _holdfast_v1_ReserveRequest__Output } from '../../holdfast/v1/ReserveRequest.ts';
import type { SettleRequest as _holdfast_v1_SettleRequest, SettleRequest__Output as _holdfast_v1_SettleRequest__Output } from '../../holdfast/v1/SettleRequest.ts';
import type { Settled as _holdfast_v1_Settled, Settled__Output as _holdfast_v1_Settled__Output } from '../../holdfast/v1/Settled.ts';

/**
 * The cost budget of a target by itself: put aside before a call what it will cost at most, settle afterwards what it did cost.
 *
 * For each key and window, settled + reserved is never above the limit, whoever crashes: a reservation that nobody settles is charged in full when it
 * expires. Every request may be repeated: it is known by its `reservation_id`.
 */
export interface BudgetsClient extends grpc.Client {
  Inspect(argument: _holdfast_v1_InspectBudgetRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_v1_BudgetState__Output>): grpc.ClientUnaryCall;
  Inspect(argument: _holdfast_v1_InspectBudgetRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_holdfast_v1_BudgetState__Output>): grpc.ClientUnaryCall;
  Inspect(argument: _holdfast_v1_InspectBudgetRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_v1_BudgetState__Output>): grpc.ClientUnaryCall;
  Inspect(argument: _holdfast_v1_InspectBudgetRequest, callback: grpc.requestCallback<_holdfast_v1_BudgetState__Output>): grpc.ClientUnaryCall;
  inspect(argument: _holdfast_v1_InspectBudgetRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_v1_BudgetState__Output>): grpc.ClientUnaryCall;
  inspect(argument: _holdfast_v1_InspectBudgetRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_holdfast_v1_BudgetState__Output>): grpc.ClientUnaryCall;
  inspect(argument: _holdfast_v1_InspectBudgetRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_v1_BudgetState__Output>): grpc.ClientUnaryCall;
  inspect(argument: _holdfast_v1_InspectBudgetRequest, callback: grpc.requestCallback<_holdfast_v1_BudgetState__Output>): grpc.ClientUnaryCall;

  /**
   * Nothing was spent: takes the reservation back. Refused with `UNKNOWN_RESERVATION` as Settle is.
   */
  Release(argument: _holdfast_v1_ReleaseRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_v1_Released__Output>): grpc.ClientUnaryCall;
  Release(argument: _holdfast_v1_ReleaseRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_holdfast_v1_Released__Output>): grpc.ClientUnaryCall;
  Release(argument: _holdfast_v1_ReleaseRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_v1_Released__Output>): grpc.ClientUnaryCall;
  Release(argument: _holdfast_v1_ReleaseRequest, callback: grpc.requestCallback<_holdfast_v1_Released__Output>): grpc.ClientUnaryCall;
  /**
   * Nothing was spent: takes the reservation back. Refused with `UNKNOWN_RESERVATION` as Settle is.
   */
  release(argument: _holdfast_v1_ReleaseRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_v1_Released__Output>): grpc.ClientUnaryCall;
  release(argument: _holdfast_v1_ReleaseRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_holdfast_v1_Released__Output>): grpc.ClientUnaryCall;
  release(argument: _holdfast_v1_ReleaseRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_v1_Released__Output>): grpc.ClientUnaryCall;
  release(argument: _holdfast_v1_ReleaseRequest, callback: grpc.requestCallback<_holdfast_v1_Released__Output>): grpc.ClientUnaryCall;

  /**
   * Refused with `COST_BUDGET_EXCEEDED` when it does not fit, with the time until the next window.
   */
  Reserve(argument: _holdfast_v1_ReserveRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_v1_Reservation__Output>): grpc.ClientUnaryCall;
  Reserve(argument: _holdfast_v1_ReserveRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_holdfast_v1_Reservation__Output>): grpc.ClientUnaryCall;
  Reserve(argument: _holdfast_v1_ReserveRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_v1_Reservation__Output>): grpc.ClientUnaryCall;
  Reserve(argument: _holdfast_v1_ReserveRequest, callback: grpc.requestCallback<_holdfast_v1_Reservation__Output>): grpc.ClientUnaryCall;
  /**
   * Refused with `COST_BUDGET_EXCEEDED` when it does not fit, with the time until the next window.
   */
  reserve(argument: _holdfast_v1_ReserveRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_v1_Reservation__Output>): grpc.ClientUnaryCall;
  reserve(argument: _holdfast_v1_ReserveRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_holdfast_v1_Reservation__Output>): grpc.ClientUnaryCall;
  reserve(argument: _holdfast_v1_ReserveRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_v1_Reservation__Output>): grpc.ClientUnaryCall;
  reserve(argument: _holdfast_v1_ReserveRequest, callback: grpc.requestCallback<_holdfast_v1_Reservation__Output>): grpc.ClientUnaryCall;

  /**
   * Charges what it did cost. Refused with `UNKNOWN_RESERVATION` when there is none of this id, or it has expired or was released.
   */
  Settle(argument: _holdfast_v1_SettleRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_v1_Settled__Output>): grpc.ClientUnaryCall;
  Settle(argument: _holdfast_v1_SettleRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_holdfast_v1_Settled__Output>): grpc.ClientUnaryCall;
  Settle(argument: _holdfast_v1_SettleRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_v1_Settled__Output>): grpc.ClientUnaryCall;
  Settle(argument: _holdfast_v1_SettleRequest, callback: grpc.requestCallback<_holdfast_v1_Settled__Output>): grpc.ClientUnaryCall;
  /**
   * Charges what it did cost. Refused with `UNKNOWN_RESERVATION` when there is none of this id, or it has expired or was released.
   */
  settle(argument: _holdfast_v1_SettleRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_v1_Settled__Output>): grpc.ClientUnaryCall;
  settle(argument: _holdfast_v1_SettleRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_holdfast_v1_Settled__Output>): grpc.ClientUnaryCall;
  settle(argument: _holdfast_v1_SettleRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_v1_Settled__Output>): grpc.ClientUnaryCall;
  settle(argument: _holdfast_v1_SettleRequest, callback: grpc.requestCallback<_holdfast_v1_Settled__Output>): grpc.ClientUnaryCall;

}

/**
 * The cost budget of a target by itself: put aside before a call what it will cost at most, settle afterwards what it did cost.
 *
 * For each key and window, settled + reserved is never above the limit, whoever crashes: a reservation that nobody settles is charged in full when it
 * expires. Every request may be repeated: it is known by its `reservation_id`.
 */
export interface BudgetsHandlers extends grpc.UntypedServiceImplementation {
  Inspect: grpc.handleUnaryCall<_holdfast_v1_InspectBudgetRequest__Output, _holdfast_v1_BudgetState>;

  /**
   * Nothing was spent: takes the reservation back. Refused with `UNKNOWN_RESERVATION` as Settle is.
   */
  Release: grpc.handleUnaryCall<_holdfast_v1_ReleaseRequest__Output, _holdfast_v1_Released>;

  /**
   * Refused with `COST_BUDGET_EXCEEDED` when it does not fit, with the time until the next window.
   */
  Reserve: grpc.handleUnaryCall<_holdfast_v1_ReserveRequest__Output, _holdfast_v1_Reservation>;

  /**
   * Charges what it did cost. Refused with `UNKNOWN_RESERVATION` when there is none of this id, or it has expired or was released.
   */
  Settle: grpc.handleUnaryCall<_holdfast_v1_SettleRequest__Output, _holdfast_v1_Settled>;

}

export interface BudgetsDefinition extends grpc.ServiceDefinition {
  Inspect: MethodDefinition<_holdfast_v1_InspectBudgetRequest, _holdfast_v1_BudgetState, _holdfast_v1_InspectBudgetRequest__Output, _holdfast_v1_BudgetState__Output>
  Release: MethodDefinition<_holdfast_v1_ReleaseRequest, _holdfast_v1_Released, _holdfast_v1_ReleaseRequest__Output, _holdfast_v1_Released__Output>
  Reserve: MethodDefinition<_holdfast_v1_ReserveRequest, _holdfast_v1_Reservation, _holdfast_v1_ReserveRequest__Output, _holdfast_v1_Reservation__Output>
  Settle: MethodDefinition<_holdfast_v1_SettleRequest, _holdfast_v1_Settled, _holdfast_v1_SettleRequest__Output, _holdfast_v1_Settled__Output>
}

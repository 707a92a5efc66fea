// Original file: proto/holdfast/v1/locks.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { AcquireRequest as _holdfast_v1_AcquireRequest, AcquireRequest__Output as _holdfast_v1_AcquireRequest__Output } from '../../holdfast/v1/AcquireRequest.ts';
import type { ForceReleaseRequest as _holdfast_v1_ForceReleaseRequest, ForceReleaseRequest__Output as _holdfast_v1_ForceReleaseRequest__Output } from '../../holdfast/v1/ForceReleaseRequest.ts';
import type { ForceReleased as _holdfast_v1_ForceReleased, ForceReleased__Output as _holdfast_v1_ForceReleased__Output } from '../../holdfast/v1/ForceReleased.ts';
import type { Grant as _holdfast_v1_Grant, Grant__Output as _holdfast_v1_Grant__Output } from '../../holdfast/v1/Grant.ts';
import type { HoldEvent as _holdfast_v1_HoldEvent, HoldEvent__Output as _holdfast_v1_HoldEvent__Output } from '../../holdfast/v1/HoldEvent.ts';
import type { ListLocksRequest as _holdfast_v1_ListLocksRequest, ListLocksRequest__Output as _holdfast_v1_ListLocksRequest__Output } from '../../holdfast/v1/ListLocksRequest.ts';
import type { LockList as _holdfast_v1_LockList, LockList__Output as _holdfast_v1_LockList__Output } from '../../holdfast/v1/LockList.ts';
import type { LockReleased as _holdfast_v1_LockReleased, LockReleased__Output as _holdfast_v1_LockReleased__Output } from '../../holdfast/v1/LockReleased.ts';
import type { ReleaseLockRequest as _holdfast_v1_ReleaseLockRequest, ReleaseLockRequest__Output as _holdfast_v1_ReleaseLockRequest__Output } from '../../holdfast/v1/ReleaseLockRequest.ts';
import type { RenewRequest as _holdfast_v1_RenewRequest, RenewRequest__Output as _holdfast_v1_RenewRequest__Output } from '../../holdfast/v1/RenewRequest.ts';
import type { Renewed as _holdfast_v1_Renewed, Renewed__Output as _holdfast_v1_Renewed__Output } from '../../holdfast/v1/Renewed.ts';

/**
 * Locks of the whole fleet, granted by the authority that the policy names (`locks`): a Redis or a PostgreSQL.
 *
 * A lock is held by a grant, and a grant belongs to what it was acquired in: to the session, to the stream of Hold, or else to its lease, which its
 * holder renews. Within a session and a Hold the sidecar renews it. It ends with Release, with what it belongs to, at `max_hold_ms`, and when it is lost.
 *
 * Lost is a lock at the instant when its time to live has passed since its last renewal that the authority confirmed was sent. Its holder is told at once
 * (`LockLost` in a session, `lost` in a Hold), and transactions that named it are rolled back. With `fence` a holder that does not know yet cannot do
 * harm: its transactions are refused by the database itself (`FENCED`).
 *
 * Waiters are served first come, first served, across all sidecars.
 */
export interface LocksClient extends grpc.Client {
  /**
   * Refused with `LOCK_HELD` when it cannot be had in time.
   */
  Acquire(argument: _holdfast_v1_AcquireRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_v1_Grant__Output>): grpc.ClientUnaryCall;
  Acquire(argument: _holdfast_v1_AcquireRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_holdfast_v1_Grant__Output>): grpc.ClientUnaryCall;
  Acquire(argument: _holdfast_v1_AcquireRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_v1_Grant__Output>): grpc.ClientUnaryCall;
  Acquire(argument: _holdfast_v1_AcquireRequest, callback: grpc.requestCallback<_holdfast_v1_Grant__Output>): grpc.ClientUnaryCall;
  /**
   * Refused with `LOCK_HELD` when it cannot be had in time.
   */
  acquire(argument: _holdfast_v1_AcquireRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_v1_Grant__Output>): grpc.ClientUnaryCall;
  acquire(argument: _holdfast_v1_AcquireRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_holdfast_v1_Grant__Output>): grpc.ClientUnaryCall;
  acquire(argument: _holdfast_v1_AcquireRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_v1_Grant__Output>): grpc.ClientUnaryCall;
  acquire(argument: _holdfast_v1_AcquireRequest, callback: grpc.requestCallback<_holdfast_v1_Grant__Output>): grpc.ClientUnaryCall;

  /**
   * Takes a lock from its holders, who are told. For people who know that a holder is gone.
   */
  ForceRelease(argument: _holdfast_v1_ForceReleaseRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_v1_ForceReleased__Output>): grpc.ClientUnaryCall;
  ForceRelease(argument: _holdfast_v1_ForceReleaseRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_holdfast_v1_ForceReleased__Output>): grpc.ClientUnaryCall;
  ForceRelease(argument: _holdfast_v1_ForceReleaseRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_v1_ForceReleased__Output>): grpc.ClientUnaryCall;
  ForceRelease(argument: _holdfast_v1_ForceReleaseRequest, callback: grpc.requestCallback<_holdfast_v1_ForceReleased__Output>): grpc.ClientUnaryCall;
  /**
   * Takes a lock from its holders, who are told. For people who know that a holder is gone.
   */
  forceRelease(argument: _holdfast_v1_ForceReleaseRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_v1_ForceReleased__Output>): grpc.ClientUnaryCall;
  forceRelease(argument: _holdfast_v1_ForceReleaseRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_holdfast_v1_ForceReleased__Output>): grpc.ClientUnaryCall;
  forceRelease(argument: _holdfast_v1_ForceReleaseRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_v1_ForceReleased__Output>): grpc.ClientUnaryCall;
  forceRelease(argument: _holdfast_v1_ForceReleaseRequest, callback: grpc.requestCallback<_holdfast_v1_ForceReleased__Output>): grpc.ClientUnaryCall;

  /**
   * First one `granted`, then `lost` if it is. The end of the stream releases.
   */
  Hold(argument: _holdfast_v1_AcquireRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_holdfast_v1_HoldEvent__Output>;
  Hold(argument: _holdfast_v1_AcquireRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_holdfast_v1_HoldEvent__Output>;
  /**
   * First one `granted`, then `lost` if it is. The end of the stream releases.
   */
  hold(argument: _holdfast_v1_AcquireRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_holdfast_v1_HoldEvent__Output>;
  hold(argument: _holdfast_v1_AcquireRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_holdfast_v1_HoldEvent__Output>;

  List(argument: _holdfast_v1_ListLocksRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_v1_LockList__Output>): grpc.ClientUnaryCall;
  List(argument: _holdfast_v1_ListLocksRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_holdfast_v1_LockList__Output>): grpc.ClientUnaryCall;
  List(argument: _holdfast_v1_ListLocksRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_v1_LockList__Output>): grpc.ClientUnaryCall;
  List(argument: _holdfast_v1_ListLocksRequest, callback: grpc.requestCallback<_holdfast_v1_LockList__Output>): grpc.ClientUnaryCall;
  list(argument: _holdfast_v1_ListLocksRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_v1_LockList__Output>): grpc.ClientUnaryCall;
  list(argument: _holdfast_v1_ListLocksRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_holdfast_v1_LockList__Output>): grpc.ClientUnaryCall;
  list(argument: _holdfast_v1_ListLocksRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_v1_LockList__Output>): grpc.ClientUnaryCall;
  list(argument: _holdfast_v1_ListLocksRequest, callback: grpc.requestCallback<_holdfast_v1_LockList__Output>): grpc.ClientUnaryCall;

  /**
   * Refused with `UNKNOWN_LEASE` when nothing of this id is held here, and with `LOCK_LOST` when it was lost before.
   */
  Release(argument: _holdfast_v1_ReleaseLockRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_v1_LockReleased__Output>): grpc.ClientUnaryCall;
  Release(argument: _holdfast_v1_ReleaseLockRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_holdfast_v1_LockReleased__Output>): grpc.ClientUnaryCall;
  Release(argument: _holdfast_v1_ReleaseLockRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_v1_LockReleased__Output>): grpc.ClientUnaryCall;
  Release(argument: _holdfast_v1_ReleaseLockRequest, callback: grpc.requestCallback<_holdfast_v1_LockReleased__Output>): grpc.ClientUnaryCall;
  /**
   * Refused with `UNKNOWN_LEASE` when nothing of this id is held here, and with `LOCK_LOST` when it was lost before.
   */
  release(argument: _holdfast_v1_ReleaseLockRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_v1_LockReleased__Output>): grpc.ClientUnaryCall;
  release(argument: _holdfast_v1_ReleaseLockRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_holdfast_v1_LockReleased__Output>): grpc.ClientUnaryCall;
  release(argument: _holdfast_v1_ReleaseLockRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_v1_LockReleased__Output>): grpc.ClientUnaryCall;
  release(argument: _holdfast_v1_ReleaseLockRequest, callback: grpc.requestCallback<_holdfast_v1_LockReleased__Output>): grpc.ClientUnaryCall;

  /**
   * For grants that belong to their lease. Refused with `LOCK_LOST`.
   */
  Renew(argument: _holdfast_v1_RenewRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_v1_Renewed__Output>): grpc.ClientUnaryCall;
  Renew(argument: _holdfast_v1_RenewRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_holdfast_v1_Renewed__Output>): grpc.ClientUnaryCall;
  Renew(argument: _holdfast_v1_RenewRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_v1_Renewed__Output>): grpc.ClientUnaryCall;
  Renew(argument: _holdfast_v1_RenewRequest, callback: grpc.requestCallback<_holdfast_v1_Renewed__Output>): grpc.ClientUnaryCall;
  /**
   * For grants that belong to their lease. Refused with `LOCK_LOST`.
   */
  renew(argument: _holdfast_v1_RenewRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_v1_Renewed__Output>): grpc.ClientUnaryCall;
  renew(argument: _holdfast_v1_RenewRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_holdfast_v1_Renewed__Output>): grpc.ClientUnaryCall;
  renew(argument: _holdfast_v1_RenewRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_v1_Renewed__Output>): grpc.ClientUnaryCall;
  renew(argument: _holdfast_v1_RenewRequest, callback: grpc.requestCallback<_holdfast_v1_Renewed__Output>): grpc.ClientUnaryCall;

}

/**
 * Locks of the whole fleet, granted by the authority that the policy names (`locks`): a Redis or a PostgreSQL.
 *
 * A lock is held by a grant, and a grant belongs to what it was acquired in: to the session, to the stream of Hold, or else to its lease, which its
 * holder renews. Within a session and a Hold the sidecar renews it. It ends with Release, with what it belongs to, at `max_hold_ms`, and when it is lost.
 *
 * Lost is a lock at the instant when its time to live has passed since its last renewal that the authority confirmed was sent. Its holder is told at once
 * (`LockLost` in a session, `lost` in a Hold), and transactions that named it are rolled back. With `fence` a holder that does not know yet cannot do
 * harm: its transactions are refused by the database itself (`FENCED`).
 *
 * Waiters are served first come, first served, across all sidecars.
 */
export interface LocksHandlers extends grpc.UntypedServiceImplementation {
  /**
   * Refused with `LOCK_HELD` when it cannot be had in time.
   */
  Acquire: grpc.handleUnaryCall<_holdfast_v1_AcquireRequest__Output, _holdfast_v1_Grant>;

  /**
   * Takes a lock from its holders, who are told. For people who know that a holder is gone.
   */
  ForceRelease: grpc.handleUnaryCall<_holdfast_v1_ForceReleaseRequest__Output, _holdfast_v1_ForceReleased>;

  /**
   * First one `granted`, then `lost` if it is. The end of the stream releases.
   */
  Hold: grpc.handleServerStreamingCall<_holdfast_v1_AcquireRequest__Output, _holdfast_v1_HoldEvent>;

  List: grpc.handleUnaryCall<_holdfast_v1_ListLocksRequest__Output, _holdfast_v1_LockList>;

  /**
   * Refused with `UNKNOWN_LEASE` when nothing of this id is held here, and with `LOCK_LOST` when it was lost before.
   */
  Release: grpc.handleUnaryCall<_holdfast_v1_ReleaseLockRequest__Output, _holdfast_v1_LockReleased>;

  /**
   * For grants that belong to their lease. Refused with `LOCK_LOST`.
   */
  Renew: grpc.handleUnaryCall<_holdfast_v1_RenewRequest__Output, _holdfast_v1_Renewed>;

}

export interface LocksDefinition extends grpc.ServiceDefinition {
  Acquire: MethodDefinition<_holdfast_v1_AcquireRequest, _holdfast_v1_Grant, _holdfast_v1_AcquireRequest__Output, _holdfast_v1_Grant__Output>
  ForceRelease: MethodDefinition<_holdfast_v1_ForceReleaseRequest, _holdfast_v1_ForceReleased, _holdfast_v1_ForceReleaseRequest__Output, _holdfast_v1_ForceReleased__Output>
  Hold: MethodDefinition<_holdfast_v1_AcquireRequest, _holdfast_v1_HoldEvent, _holdfast_v1_AcquireRequest__Output, _holdfast_v1_HoldEvent__Output>
  List: MethodDefinition<_holdfast_v1_ListLocksRequest, _holdfast_v1_LockList, _holdfast_v1_ListLocksRequest__Output, _holdfast_v1_LockList__Output>
  Release: MethodDefinition<_holdfast_v1_ReleaseLockRequest, _holdfast_v1_LockReleased, _holdfast_v1_ReleaseLockRequest__Output, _holdfast_v1_LockReleased__Output>
  Renew: MethodDefinition<_holdfast_v1_RenewRequest, _holdfast_v1_Renewed, _holdfast_v1_RenewRequest__Output, _holdfast_v1_Renewed__Output>
}

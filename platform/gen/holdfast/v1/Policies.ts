// Original file: proto/holdfast/v1/policies.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { InspectPoliciesRequest as _holdfast_v1_InspectPoliciesRequest, InspectPoliciesRequest__Output as _holdfast_v1_InspectPoliciesRequest__Output } from '../../holdfast/v1/InspectPoliciesRequest.ts';
import type { PolicyState as _holdfast_v1_PolicyState, PolicyState__Output as _holdfast_v1_PolicyState__Output } from '../../holdfast/v1/PolicyState.ts';

/**
 * What the sidecar goes by just now.
 */
export interface PoliciesClient extends grpc.Client {
  Inspect(argument: _holdfast_v1_InspectPoliciesRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_v1_PolicyState__Output>): grpc.ClientUnaryCall;
  Inspect(argument: _holdfast_v1_InspectPoliciesRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_holdfast_v1_PolicyState__Output>): grpc.ClientUnaryCall;
  Inspect(argument: _holdfast_v1_InspectPoliciesRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_v1_PolicyState__Output>): grpc.ClientUnaryCall;
  Inspect(argument: _holdfast_v1_InspectPoliciesRequest, callback: grpc.requestCallback<_holdfast_v1_PolicyState__Output>): grpc.ClientUnaryCall;
  inspect(argument: _holdfast_v1_InspectPoliciesRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_v1_PolicyState__Output>): grpc.ClientUnaryCall;
  inspect(argument: _holdfast_v1_InspectPoliciesRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_holdfast_v1_PolicyState__Output>): grpc.ClientUnaryCall;
  inspect(argument: _holdfast_v1_InspectPoliciesRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_holdfast_v1_PolicyState__Output>): grpc.ClientUnaryCall;
  inspect(argument: _holdfast_v1_InspectPoliciesRequest, callback: grpc.requestCallback<_holdfast_v1_PolicyState__Output>): grpc.ClientUnaryCall;

}

/**
 * What the sidecar goes by just now.
 */
export interface PoliciesHandlers extends grpc.UntypedServiceImplementation {
  Inspect: grpc.handleUnaryCall<_holdfast_v1_InspectPoliciesRequest__Output, _holdfast_v1_PolicyState>;

}

export interface PoliciesDefinition extends grpc.ServiceDefinition {
  Inspect: MethodDefinition<_holdfast_v1_InspectPoliciesRequest, _holdfast_v1_PolicyState, _holdfast_v1_InspectPoliciesRequest__Output, _holdfast_v1_PolicyState__Output>
}

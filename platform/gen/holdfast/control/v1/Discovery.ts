// Original file: proto/holdfast/control/v1/discovery.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { ControllerMessage as _holdfast_control_v1_ControllerMessage, ControllerMessage__Output as _holdfast_control_v1_ControllerMessage__Output } from '../../../holdfast/control/v1/ControllerMessage.ts';
import type { SidecarMessage as _holdfast_control_v1_SidecarMessage, SidecarMessage__Output as _holdfast_control_v1_SidecarMessage__Output } from '../../../holdfast/control/v1/SidecarMessage.ts';

/**
 * What sidecars and the controller say to each other. Applications never call this.
 */
export interface DiscoveryClient extends grpc.Client {
  /**
   * One stream for each sidecar, as long as both live. The call's metadata has `authorization: Bearer <token>`: the pod's projected
   * service account token with the audience `holdfast-controller`; who the pod is comes from the token alone. The first message is Hello.
   * Ends with UNAUTHENTICATED (a token that is forged, expired or of another audience), FAILED_PRECONDITION (a newer boot of the same pod is
   * connected), ABORTED (the same boot has another stream), INVALID_ARGUMENT (no Hello first, or no such message), RESOURCE_EXHAUSTED (too
   * many streams, or messages), UNAVAILABLE (the controller stops, cannot check tokens just now, or the token has expired: connect again).
   */
  Connect(metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientDuplexStream<_holdfast_control_v1_SidecarMessage, _holdfast_control_v1_ControllerMessage__Output>;
  Connect(options?: grpc.CallOptions): grpc.ClientDuplexStream<_holdfast_control_v1_SidecarMessage, _holdfast_control_v1_ControllerMessage__Output>;
  /**
   * One stream for each sidecar, as long as both live. The call's metadata has `authorization: Bearer <token>`: the pod's projected
   * service account token with the audience `holdfast-controller`; who the pod is comes from the token alone. The first message is Hello.
   * Ends with UNAUTHENTICATED (a token that is forged, expired or of another audience), FAILED_PRECONDITION (a newer boot of the same pod is
   * connected), ABORTED (the same boot has another stream), INVALID_ARGUMENT (no Hello first, or no such message), RESOURCE_EXHAUSTED (too
   * many streams, or messages), UNAVAILABLE (the controller stops, cannot check tokens just now, or the token has expired: connect again).
   */
  connect(metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientDuplexStream<_holdfast_control_v1_SidecarMessage, _holdfast_control_v1_ControllerMessage__Output>;
  connect(options?: grpc.CallOptions): grpc.ClientDuplexStream<_holdfast_control_v1_SidecarMessage, _holdfast_control_v1_ControllerMessage__Output>;

}

/**
 * What sidecars and the controller say to each other. Applications never call this.
 */
export interface DiscoveryHandlers extends grpc.UntypedServiceImplementation {
  /**
   * One stream for each sidecar, as long as both live. The call's metadata has `authorization: Bearer <token>`: the pod's projected
   * service account token with the audience `holdfast-controller`; who the pod is comes from the token alone. The first message is Hello.
   * Ends with UNAUTHENTICATED (a token that is forged, expired or of another audience), FAILED_PRECONDITION (a newer boot of the same pod is
   * connected), ABORTED (the same boot has another stream), INVALID_ARGUMENT (no Hello first, or no such message), RESOURCE_EXHAUSTED (too
   * many streams, or messages), UNAVAILABLE (the controller stops, cannot check tokens just now, or the token has expired: connect again).
   */
  Connect: grpc.handleBidiStreamingCall<_holdfast_control_v1_SidecarMessage__Output, _holdfast_control_v1_ControllerMessage>;

}

export interface DiscoveryDefinition extends grpc.ServiceDefinition {
  Connect: MethodDefinition<_holdfast_control_v1_SidecarMessage, _holdfast_control_v1_ControllerMessage, _holdfast_control_v1_SidecarMessage__Output, _holdfast_control_v1_ControllerMessage__Output>
}

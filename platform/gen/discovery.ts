import type * as grpc from '@grpc/grpc-js';
import type { MessageTypeDefinition } from '@grpc/proto-loader';

import type { ControllerMessage as _holdfast_control_v1_ControllerMessage, ControllerMessage__Output as _holdfast_control_v1_ControllerMessage__Output } from './holdfast/control/v1/ControllerMessage.ts';
import type { DiscoveryClient as _holdfast_control_v1_DiscoveryClient, DiscoveryDefinition as _holdfast_control_v1_DiscoveryDefinition } from './holdfast/control/v1/Discovery.ts';
import type { Grant as _holdfast_control_v1_Grant, Grant__Output as _holdfast_control_v1_Grant__Output } from './holdfast/control/v1/Grant.ts';
import type { Heartbeat as _holdfast_control_v1_Heartbeat, Heartbeat__Output as _holdfast_control_v1_Heartbeat__Output } from './holdfast/control/v1/Heartbeat.ts';
import type { Hello as _holdfast_control_v1_Hello, Hello__Output as _holdfast_control_v1_Hello__Output } from './holdfast/control/v1/Hello.ts';
import type { Policy as _holdfast_control_v1_Policy, Policy__Output as _holdfast_control_v1_Policy__Output } from './holdfast/control/v1/Policy.ts';
import type { PolicyFault as _holdfast_control_v1_PolicyFault, PolicyFault__Output as _holdfast_control_v1_PolicyFault__Output } from './holdfast/control/v1/PolicyFault.ts';
import type { PolicyReport as _holdfast_control_v1_PolicyReport, PolicyReport__Output as _holdfast_control_v1_PolicyReport__Output } from './holdfast/control/v1/PolicyReport.ts';
import type { PolicySnapshot as _holdfast_control_v1_PolicySnapshot, PolicySnapshot__Output as _holdfast_control_v1_PolicySnapshot__Output } from './holdfast/control/v1/PolicySnapshot.ts';
import type { Redirect as _holdfast_control_v1_Redirect, Redirect__Output as _holdfast_control_v1_Redirect__Output } from './holdfast/control/v1/Redirect.ts';
import type { ServerSession as _holdfast_control_v1_ServerSession, ServerSession__Output as _holdfast_control_v1_ServerSession__Output } from './holdfast/control/v1/ServerSession.ts';
import type { SessionListing as _holdfast_control_v1_SessionListing, SessionListing__Output as _holdfast_control_v1_SessionListing__Output } from './holdfast/control/v1/SessionListing.ts';
import type { SidecarMessage as _holdfast_control_v1_SidecarMessage, SidecarMessage__Output as _holdfast_control_v1_SidecarMessage__Output } from './holdfast/control/v1/SidecarMessage.ts';
import type { TrustBundle as _holdfast_control_v1_TrustBundle, TrustBundle__Output as _holdfast_control_v1_TrustBundle__Output } from './holdfast/control/v1/TrustBundle.ts';

type SubtypeConstructor<Constructor extends new (...args: any) => any, Subtype> = {
  new(...args: ConstructorParameters<Constructor>): Subtype;
};

export interface ProtoGrpcType {
  holdfast: {
    control: {
      v1: {
        ControllerMessage: MessageTypeDefinition<_holdfast_control_v1_ControllerMessage, _holdfast_control_v1_ControllerMessage__Output>
        /**
         * What sidecars and the controller say to each other. Applications never call this.
         */
        Discovery: SubtypeConstructor<typeof grpc.Client, _holdfast_control_v1_DiscoveryClient> & { service: _holdfast_control_v1_DiscoveryDefinition }
        Grant: MessageTypeDefinition<_holdfast_control_v1_Grant, _holdfast_control_v1_Grant__Output>
        Heartbeat: MessageTypeDefinition<_holdfast_control_v1_Heartbeat, _holdfast_control_v1_Heartbeat__Output>
        Hello: MessageTypeDefinition<_holdfast_control_v1_Hello, _holdfast_control_v1_Hello__Output>
        Policy: MessageTypeDefinition<_holdfast_control_v1_Policy, _holdfast_control_v1_Policy__Output>
        PolicyFault: MessageTypeDefinition<_holdfast_control_v1_PolicyFault, _holdfast_control_v1_PolicyFault__Output>
        PolicyReport: MessageTypeDefinition<_holdfast_control_v1_PolicyReport, _holdfast_control_v1_PolicyReport__Output>
        PolicySnapshot: MessageTypeDefinition<_holdfast_control_v1_PolicySnapshot, _holdfast_control_v1_PolicySnapshot__Output>
        Redirect: MessageTypeDefinition<_holdfast_control_v1_Redirect, _holdfast_control_v1_Redirect__Output>
        ServerSession: MessageTypeDefinition<_holdfast_control_v1_ServerSession, _holdfast_control_v1_ServerSession__Output>
        SessionListing: MessageTypeDefinition<_holdfast_control_v1_SessionListing, _holdfast_control_v1_SessionListing__Output>
        SidecarMessage: MessageTypeDefinition<_holdfast_control_v1_SidecarMessage, _holdfast_control_v1_SidecarMessage__Output>
        TrustBundle: MessageTypeDefinition<_holdfast_control_v1_TrustBundle, _holdfast_control_v1_TrustBundle__Output>
      }
    }
  }
}


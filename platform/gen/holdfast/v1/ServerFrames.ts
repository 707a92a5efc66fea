// Original file: proto/holdfast/v1/session.proto

import type { ServerFrame as _holdfast_v1_ServerFrame, ServerFrame__Output as _holdfast_v1_ServerFrame__Output } from '../../holdfast/v1/ServerFrame.ts';

export interface ServerFrames {
  'frames'?: (_holdfast_v1_ServerFrame)[];
}

export interface ServerFrames__Output {
  'frames': (_holdfast_v1_ServerFrame__Output)[];
}

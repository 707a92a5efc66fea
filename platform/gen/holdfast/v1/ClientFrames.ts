// Original file: proto/holdfast/v1/session.proto

import type { ClientFrame as _holdfast_v1_ClientFrame, ClientFrame__Output as _holdfast_v1_ClientFrame__Output } from '../../holdfast/v1/ClientFrame.ts';

export interface ClientFrames {
  'frames'?: (_holdfast_v1_ClientFrame)[];
}

export interface ClientFrames__Output {
  'frames': (_holdfast_v1_ClientFrame__Output)[];
}

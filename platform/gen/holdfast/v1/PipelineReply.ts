// Original file: proto/holdfast/v1/redis.proto

import type { CommandOutcome as _holdfast_v1_CommandOutcome, CommandOutcome__Output as _holdfast_v1_CommandOutcome__Output } from '../../holdfast/v1/CommandOutcome.ts';

export interface PipelineReply {
  /**
   * One for each command, in order.
   */
  'outcomes'?: (_holdfast_v1_CommandOutcome)[];
}

export interface PipelineReply__Output {
  /**
   * One for each command, in order.
   */
  'outcomes': (_holdfast_v1_CommandOutcome__Output)[];
}

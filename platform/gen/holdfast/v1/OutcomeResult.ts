// Original file: proto/holdfast/v1/database.proto

import type { CommitOutcome as _holdfast_v1_CommitOutcome, CommitOutcome__Output as _holdfast_v1_CommitOutcome__Output } from '../../holdfast/v1/CommitOutcome.ts';

export interface OutcomeResult {
  'outcome'?: (_holdfast_v1_CommitOutcome);
}

export interface OutcomeResult__Output {
  'outcome': (_holdfast_v1_CommitOutcome__Output);
}

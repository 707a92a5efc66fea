import type { ByteReader } from './byte-reader.ts';
import type { ByteWriter } from './byte-writer.ts';
import { decodeMessage, encodeMessage } from './contract.ts';

/** holdfast.v1.OutcomeRequest. */
export interface OutcomeRequest {
  readonly pool: string;
  readonly commitId: string;
}

/** What became of a piece of work: it is in the database, or it is not and never will be. */
export type CommitOutcome = 'committed' | 'rolled back';

export function writeOutcomeRequest(writer: ByteWriter, request: OutcomeRequest): void {
  writer.raw(encodeMessage('holdfast.v1.OutcomeRequest', { ...request }));
}

export function readOutcomeResult(reader: ByteReader, end: number): CommitOutcome {
  const { outcome } = decodeMessage(
    'holdfast.v1.OutcomeResult',
    reader.bytes.subarray(reader.at, end),
  );
  reader.at = end;
  switch (outcome) {
    case 'COMMIT_OUTCOME_COMMITTED':
      return 'committed';
    case 'COMMIT_OUTCOME_ROLLED_BACK':
      return 'rolled back';
    default:
      throw new Error('malformed message: an outcome that this client does not know');
  }
}

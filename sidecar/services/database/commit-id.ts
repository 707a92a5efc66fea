import type { OutcomeRequest__Output } from '../../../platform/gen/holdfast/v1/OutcomeRequest.ts';
import type { OutcomeResult } from '../../../platform/gen/holdfast/v1/OutcomeResult.ts';
import { HoldfastError } from '../../../platform/errors.ts';
import type { Operation } from '../../grpc/operation.ts';
import type { NamedDatabases } from '../../postgres/databases.ts';
import { invalid } from './statement-values.ts';

const mostBytes = 128;

/** The commit_id of a request as an option; none when it is empty. Throws INVALID_REQUEST. */
export function commitIdOf(commitId: string): { readonly commitId?: string } {
  if (commitId === '') return {};
  if (Buffer.byteLength(commitId) > mostBytes) {
    throw invalid(`commit_id is longer than ${mostBytes} bytes`);
  }
  if (commitId.includes('\0')) throw invalid('commit_id contains the character U+0000');
  return { commitId };
}

/** Inside a transaction only its Begin has a commit_id. Throws INVALID_REQUEST. */
export function noCommitId({ commitId }: { readonly commitId: string }): void {
  if (commitId === '') return;
  throw invalid('commit_id inside a transaction: it belongs to the Begin');
}

/** Database.Outcome. */
export function outcomeOperation(
  databases: NamedDatabases,
): Operation<OutcomeRequest__Output, OutcomeResult> {
  return {
    name: 'Database.Outcome',
    frame: 'outcome',
    target: ({ pool }) => databases.label(pool),
    handle: async (request, call) => {
      const { commitId } = commitIdOf(request.commitId);
      if (commitId === undefined) throw invalid('commit_id is empty');
      const outcome = await databases.named(request.pool).outcome(commitId, call);
      if (outcome === 'unknown') throw notKnown();
      return {
        outcome:
          outcome === 'committed' ? 'COMMIT_OUTCOME_COMMITTED' : 'COMMIT_OUTCOME_ROLLED_BACK',
      };
    },
  };
}

/** The row was there and is not any more. */
const notKnown = (): HoldfastError =>
  new HoldfastError(
    'unavailable',
    'COMMIT_UNKNOWN',
    'rows of holdfast.commits are being deleted just now; ask again',
    { retryAfterMs: 100 },
  );

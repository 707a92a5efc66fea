import { HoldfastError } from '../../../platform/errors.ts';
import { Encoded } from '../../../platform/grpc/encoded.ts';
import type { StatusEncoder } from '../../../platform/grpc/status.ts';
import { lengthDelimited } from '../../../platform/protobuf-wire.ts';
import type { StatementResult } from '../../postgres/exchange.ts';

const partBytes = 256 * 1024;

/** holdfast.v1.QueryResult */
export const queryResult = ({ parts }: StatementResult): Encoded => new Encoded(...parts);

/** holdfast.v1.BatchResult, cut between results. */
export function batchResult(
  results: readonly (StatementResult | HoldfastError)[],
  statuses: StatusEncoder,
): Encoded {
  const parts: Buffer[] = [];
  let pieces: Buffer[] = [];
  let bytes = 0;
  for (const result of results) {
    const outcome =
      result instanceof HoldfastError
        ? lengthDelimited(2, statuses.encode(result)) // StatementResult.error
        : lengthDelimited(1, ...result.parts); // StatementResult.result
    const piece = lengthDelimited(1, outcome); // BatchResult.results
    pieces.push(piece);
    bytes += piece.length;
    if (bytes < partBytes) continue;
    parts.push(Buffer.concat(pieces));
    pieces = [];
    bytes = 0;
  }
  if (pieces.length > 0 || parts.length === 0) parts.push(Buffer.concat(pieces));
  return new Encoded(...parts);
}

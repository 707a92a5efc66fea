import type { ByteReader } from './byte-reader.ts';
import type { ByteWriter } from './byte-writer.ts';
import { decodeMessage, encodeMessage } from './contract.ts';
import type { Operation } from './operations.ts';
import { wholeNumber } from './whole-number.ts';

/**
 * What became of a call, as far as it says something of its target. `success`: it is well, even if the request was at fault. `throttled`: it is well and wants
 * less. `dropped`: nothing can be said.
 */
export type CallOutcome = 'success' | 'failure' | 'throttled' | 'dropped';

/** holdfast.v1.EnterRequest. */
interface EnterRequest {
  readonly target: string;
  readonly leaseMs: number | undefined;
  readonly cost: number | undefined;
  readonly costKey: string;
}

/** holdfast.v1.Permit. */
export interface PermitReply {
  readonly permitId: string;
  readonly leaseMs: number;
  readonly timeoutMs: number;
}

/** holdfast.v1.ExitRequest. */
interface ExitRequest {
  readonly permitId: string;
  readonly outcome: CallOutcome;
  readonly cost: number | undefined;
}

export const enter: Operation<EnterRequest, PermitReply> = {
  field: 64,
  path: '/holdfast.v1.Guard/Enter',
  exempt: false,
  write: (writer, request) => {
    wholeNumber('leaseMs', request.leaseMs);
    writeMessage(writer, 'holdfast.v1.EnterRequest', { ...request });
  },
  read: (reader, end) => readMessage(reader, end, 'holdfast.v1.Permit') as unknown as PermitReply,
  opens: ({ permitId }) => ({
    id: permitId,
    undo: { operation: exit, request: { permitId, outcome: 'dropped', cost: 0 } },
  }),
};

/** Answers with the overshoot. */
export const exit: Operation<ExitRequest, number> = {
  field: 65,
  path: '/holdfast.v1.Guard/Exit',
  exempt: true,
  write: (writer, { outcome, ...request }) =>
    writeMessage(writer, 'holdfast.v1.ExitRequest', {
      ...request,
      outcome: `CALL_OUTCOME_${outcome.toUpperCase()}`,
    }),
  read: (reader, end) => readMessage(reader, end, 'holdfast.v1.Exited')['overshoot'] as number,
  closes: ({ permitId }) => permitId,
};

/** Writes a message by the generated codec. */
export function writeMessage(
  writer: ByteWriter,
  name: string,
  message: Record<string, unknown>,
): void {
  writer.raw(encodeMessage(name, message));
}

/** Reads a message that ends at `end` by the generated codec. */
export function readMessage(
  reader: ByteReader,
  end: number,
  name: string,
): Record<string, unknown> {
  const message = decodeMessage(name, reader.bytes.subarray(reader.at, end));
  reader.at = end;
  return message;
}

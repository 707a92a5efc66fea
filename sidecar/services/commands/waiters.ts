import { HoldfastError } from '../../../platform/errors.ts';
import { Encoded } from '../../../platform/grpc/encoded.ts';
import type { StatusEncoder } from '../../../platform/grpc/status.ts';
import { lengthDelimited } from '../../../platform/protobuf-wire.ts';
import type { Waiter } from '../../redis/pending-command.ts';
import { encodeReply, type Reply, replyTooLarge } from '../../redis/reply.ts';

type Resolve = (response: Encoded) => void;
type Reject = (error: HoldfastError) => void;

/** Waits for one command: its reply is the response. */
export class CommandWaiter implements Waiter {
  readonly failed: Reject;
  readonly #resolve: Resolve;
  readonly #maxReplyBytes: number;

  constructor(resolve: Resolve, reject: Reject, maxReplyBytes: number) {
    this.#resolve = resolve;
    this.failed = reject;
    this.#maxReplyBytes = maxReplyBytes;
  }

  answered(reply: Reply): void {
    try {
      this.#resolve(new Encoded(encodeReply(reply, this.#maxReplyBytes)));
    } catch (thrown) {
      this.failed(HoldfastError.from(thrown));
    }
  }
}

interface PipelineParts {
  readonly resolve: Resolve;
  /** Of all replies together. */
  readonly maxReplyBytes: number;
  readonly statuses: StatusEncoder;
}

const partBytes = 64 * 1024;

/** Waits for all commands of a pipeline: what became of each, error or reply, is the response. */
export class PipelineWaiter implements Waiter {
  readonly #parts: PipelineParts;
  /** holdfast.v1.CommandOutcome by index. */
  readonly #outcomes: Buffer[];
  #missing: number;
  #replyBytes = 0;
  #closed = false;

  constructor(commands: number, parts: PipelineParts) {
    this.#parts = parts;
    this.#missing = commands;
    this.#outcomes = Array.from({ length: commands });
  }

  /** Nobody waits any more. */
  close(): void {
    this.#closed = true;
  }

  answered(reply: Reply, index: number): void {
    if (this.#closed) return;
    const { maxReplyBytes } = this.#parts;
    try {
      const encoded = encodeReply(reply, maxReplyBytes);
      if (this.#replyBytes + encoded.length > maxReplyBytes) throw replyTooLarge(maxReplyBytes);
      this.#replyBytes += encoded.length;
      this.#settle(index, lengthDelimited(1, encoded)); // CommandOutcome.reply
    } catch (thrown) {
      this.failed(HoldfastError.from(thrown), index);
    }
  }

  failed(error: HoldfastError, index: number): void {
    if (this.#closed) return;
    this.#settle(index, lengthDelimited(2, this.#parts.statuses.encode(error))); // CommandOutcome.error
  }

  #settle(index: number, outcome: Buffer): void {
    this.#outcomes[index] = lengthDelimited(1, outcome); // PipelineReply.outcomes
    this.#missing -= 1;
    if (this.#missing === 0) this.#parts.resolve(new Encoded(...inParts(this.#outcomes)));
  }
}

/** Joins pieces into parts of moderate size, so that a session can cut between them. */
function inParts(pieces: readonly Buffer[]): Buffer[] {
  const parts: Buffer[] = [];
  let from = 0;
  let bytes = 0;
  for (const [index, piece] of pieces.entries()) {
    bytes += piece.length;
    if (bytes < partBytes && index < pieces.length - 1) continue;
    parts.push(Buffer.concat(pieces.slice(from, index + 1), bytes));
    from = index + 1;
    bytes = 0;
  }
  return parts;
}

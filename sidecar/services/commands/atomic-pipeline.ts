import type { Call } from '../../../platform/call.ts';
import { HoldfastError } from '../../../platform/errors.ts';
import type { Encoded } from '../../../platform/grpc/encoded.ts';
import type { StatusEncoder } from '../../../platform/grpc/status.ts';
import { mayFailInPart } from '../../redis/command-rules.ts';
import { PendingCommand, type Waiter } from '../../redis/pending-command.ts';
import type { RedisBackend } from '../../redis/redis-backend.ts';
import type { Reply } from '../../redis/reply.ts';
import { abandoned, replyError } from '../../redis/reply-errors.ts';
import { PipelineWaiter } from './waiters.ts';

const multi = [Buffer.from('MULTI')];
const exec = [Buffer.from('EXEC')];
const mostAttempts = 5;

/** The request, checked. */
export interface AtomicPipeline {
  readonly commands: readonly (readonly Buffer[])[];
  /** None of them does harm when it runs twice. */
  readonly harmless: boolean;
}

type RunAtomic = (to: RedisBackend, pipeline: AtomicPipeline, call: Call) => Promise<Encoded>;

/**
 * Runs pipelines between MULTI and EXEC: on a shared connection, but in one piece, so that nobody else's commands get in between. All runs or
 * nothing; the outcomes are those of EXEC.
 */
export function atomicPipelines(statuses: StatusEncoder): RunAtomic {
  /** Those whose user may run MULTI. If it were refused, what follows it would run one by one. */
  const allowed = new WeakSet<RedisBackend>();
  return async (to, pipeline, call) => {
    await to.opening(call, 'shared');
    if (!allowed.has(to)) {
      await together(to, [multi, exec], true);
      allowed.add(to);
    }
    let redirect: string | undefined;
    for (let attempt = 1; ; attempt += 1) {
      const attempted = await runOnce(to, pipeline, call, statuses, redirect);
      if (!('redirect' in attempted)) return attempted.answer;
      ({ redirect } = attempted);
      // None of them ran there: the keys live elsewhere.
      if (attempt === mostAttempts) throw replyError(redirect, to.name);
    }
  };
}

function together(
  to: RedisBackend,
  commands: readonly (readonly Buffer[])[],
  harmless: boolean,
): Promise<void> {
  return new Promise((resolve, reject) => {
    let missing = commands.length;
    const waiter: Waiter = {
      answered: () => {
        missing -= 1;
        if (missing === 0) resolve();
      },
      failed: reject,
    };
    to.sendTogether(commands.map((words) => new PendingCommand(words, harmless, waiter, 0)));
  });
}

type Attempt = { readonly answer: Encoded } | { readonly redirect: string };

function runOnce(
  to: RedisBackend,
  { commands, harmless }: AtomicPipeline,
  call: Call,
  statuses: StatusEncoder,
  redirect: string | undefined,
): Promise<Attempt> {
  return new Promise((resolve, reject) => {
    call.throwIfEnded();
    const waiter = new AtomicWaiter(to, { commands, harmless }, statuses, { resolve, reject });
    const pending = [multi, ...commands, exec].map((words, at) => {
      const command = new PendingCommand(words, harmless, waiter, at - 1);
      command.redirect = waiter.redirected;
      return command;
    });
    to.sendTogether(pending, redirect);
    call.onEnd((reason) => {
      const sent = pending.some(({ state }) => state !== 'waiting');
      // The call as a whole has an answer then: what is still told of its commands is dropped.
      reject(sent ? abandoned(to.name, harmless, reason) : reason);
      for (const each of pending) each.abandon(reason);
    });
  });
}

interface Settle {
  readonly resolve: (attempt: Attempt) => void;
  readonly reject: (error: HoldfastError) => void;
}

/** Waits for MULTI (index -1), the commands, which are only queued, and EXEC, which has their replies. */
class AtomicWaiter implements Waiter {
  readonly #to: RedisBackend;
  readonly #pipeline: AtomicPipeline;
  readonly #count: number;
  readonly #statuses: StatusEncoder;
  readonly #settle: Settle;
  #redirect: string | undefined;
  /** Of MULTI, or of the first command that was not queued. */
  #refused: { readonly error: HoldfastError; readonly index: number } | undefined;

  constructor(to: RedisBackend, pipeline: AtomicPipeline, statuses: StatusEncoder, settle: Settle) {
    this.#to = to;
    this.#pipeline = pipeline;
    this.#count = pipeline.commands.length;
    this.#statuses = statuses;
    this.#settle = settle;
  }

  /** Only listens: EXEC will say that nothing ran. */
  readonly redirected = (message: string): boolean => {
    if (/^(MOVED|ASK) /.test(message)) this.#redirect ??= message;
    if (message.startsWith('EXECABORT ')) this.#because = /because of: (.*)$/.exec(message)?.[1];
    return false;
  };

  /** Why EXEC itself discarded the commands. */
  #because: string | undefined;

  answered(reply: Reply, index: number): void {
    if (index < this.#count) return;
    const replies = reply as readonly Reply[];
    const waiter = new PipelineWaiter(this.#count, {
      resolve: (answer) => this.#settle.resolve({ answer }),
      maxReplyBytes: this.#to.options.maxReplyBytes,
      statuses: this.#statuses,
    });
    for (const [at, each] of replies.entries()) {
      if (each instanceof Error) waiter.failed(this.#errorOf(each, at), at);
      else waiter.answered(each, at);
    }
  }

  #errorOf({ message }: Error, at: number): HoldfastError {
    const { commands, harmless } = this.#pipeline;
    const partly = !harmless && mayFailInPart(commands[at]?.[0]);
    return replyError(message, this.#to.name, partly);
  }

  failed(error: HoldfastError, index: number): void {
    if (index < this.#count) {
      this.#refused ??= { error, index };
      return;
    }
    if (error.metadata['redis_code'] !== 'EXECABORT') {
      this.#settle.reject(this.#refused?.index === -1 ? this.#withoutMulti(error) : error);
    } else if (this.#redirect !== undefined) {
      this.#settle.resolve({ redirect: this.#redirect });
    } else if (this.#refused !== undefined) {
      const { kind, reason, message, metadata, retryAfterMs } = this.#refused.error;
      const text = `commands[${this.#refused.index}]: ${message}; none of the commands ran`;
      const details = { target: this.#to.name, metadata };
      this.#settle.reject(
        new HoldfastError(kind, reason, text, {
          ...details,
          ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
        }),
      );
    } else {
      this.#settle.reject(
        this.#because === undefined ? error : replyError(this.#because, this.#to.name),
      );
    }
  }

  /** When the connection broke, or was never there, all of them have the same error. */
  #withoutMulti(error: HoldfastError): HoldfastError {
    const first = this.#refused?.error;
    if (first?.reason !== 'REDIS_ERROR') return error;
    return new HoldfastError(
      'unknown-outcome',
      'REDIS_ERROR',
      `${first.message} to MULTI; the commands may have run one by one`,
      { target: this.#to.name, metadata: first.metadata },
    );
  }
}

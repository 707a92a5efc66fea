import { deadlineExceeded, type Call } from '../../platform/call.ts';
import type { Clock } from '../../platform/clock.ts';
import type { Deadlines } from '../../platform/deadlines.ts';
import { HoldfastError } from '../../platform/errors.ts';
import { statusName } from '../../platform/grpc/status.ts';
import type { Logger } from '../../platform/logger.ts';
import type { MemoryGuard } from './memory-guard.ts';
import type { RequestMetrics } from './request-metrics.ts';

/** The part of an operation that the request path looks at. */
interface Described<Request> {
  readonly name: string;
  readonly target: (request: Request, call: Call) => string;
  readonly exempt?: boolean;
  readonly begins?: boolean;
}

interface RequestPathParts {
  readonly clock: Clock;
  readonly deadlines: Deadlines;
  readonly metrics: RequestMetrics;
  readonly log: Logger;
  /** Ends what is over by now, such as locks that were lost while the process was stopped, before a call does anything. */
  readonly look?: (nowMs: number) => void;
  /** Absent: there is memory enough. */
  readonly memory?: Pick<MemoryGuard, 'refusal' | 'room'>;
}

/**
 * What stands around every call, whatever its transport: refusal while draining, its deadline, one kind of error, and its measurement.
 * Shared by all calls.
 */
export class RequestPath {
  readonly #parts: RequestPathParts;
  #draining = false;
  #running = 0;
  #whenIdle: (() => void)[] = [];

  constructor(parts: RequestPathParts) {
    this.#parts = parts;
  }

  /** Undefined while there is memory for work; else resolves when there may be, or rejects with MEMORY_PRESSURE. */
  readonly room = (): Promise<void> | undefined => this.#parts.memory?.room();

  get draining(): boolean {
    return this.#draining;
  }

  /** Refuses new calls from now on (DRAINING), except those that free something; resolves when those under way have ended. */
  async drain(): Promise<void> {
    this.#draining = true;
    if (this.#running > 0) await new Promise<void>((resolve) => this.#whenIdle.push(resolve));
  }

  /** Runs `work` as one call. Rejects with a HoldfastError only. */
  async perform<Request, Response>(
    operation: Described<Request>,
    request: Request,
    call: Call,
    work: () => Promise<Response>,
  ): Promise<Response> {
    const { clock, deadlines, metrics } = this.#parts;
    const startedAtMs = clock.now();
    this.#parts.look?.(startedAtMs);
    const meter = metrics.meter(operation.name, operation.target(request, call));
    const unwatch =
      call.deadlineAtMs === Infinity
        ? undefined
        : deadlines.watch(call.deadlineAtMs, () => call.end(deadlineExceeded()));
    this.#running += 1;
    try {
      if (this.#draining && isNew(operation, call)) throw draining();
      if (operation.exempt !== true) this.#throwIfFull(operation, call, startedAtMs);
      if (startedAtMs >= call.deadlineAtMs) call.end(deadlineExceeded());
      call.throwIfEnded();
      const response = await work();
      meter.done('OK', (clock.now() - startedAtMs) / 1_000);
      return response;
    } catch (thrown) {
      const error = HoldfastError.from(thrown);
      if (error.kind === 'internal') this.#logStranger(operation.name, error, call);
      meter.done(statusName(error.kind), (clock.now() - startedAtMs) / 1_000);
      throw error;
    } finally {
      unwatch?.();
      this.#running -= 1;
      if (this.#running === 0 && this.#draining) {
        for (const resolve of this.#whenIdle.splice(0)) resolve();
      }
    }
  }

  /** What is part of an open transaction holds a connection already: it is refused last. */
  #throwIfFull(operation: Described<never>, call: Call, nowMs: number): void {
    const priority = isNew(operation, call) ? call.priority : 'high';
    const refusal = this.#parts.memory?.refusal(priority, nowMs);
    if (refusal !== undefined) throw refusal;
  }

  #logStranger(method: string, error: HoldfastError, { traceparent }: Call): void {
    const traceId = traceparent.split('-')[1];
    this.#parts.log.error(
      { err: error.cause ?? error, method, ...(traceId === undefined ? {} : { traceId }) },
      'a call failed for a reason nobody foresaw',
    );
  }
}

/** Neither frees something nor is part of a transaction that is open. */
const isNew = ({ exempt, begins }: Described<never>, { transactionId }: Call): boolean =>
  exempt !== true && (transactionId === 0 || begins === true);

export const draining = (): HoldfastError =>
  new HoldfastError(
    'unavailable',
    'DRAINING',
    'the sidecar is shutting down and takes no new calls',
    { retryAfterMs: 1_000 },
  );

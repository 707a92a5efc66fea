import type { Priority } from '../../platform/call.ts';
import type { Clock } from '../../platform/clock.ts';
import { HoldfastError } from '../../platform/errors.ts';
import type { MemoryReading } from '../../platform/process-memory.ts';

interface GuardParts {
  readonly clock: Clock;
  readonly read: () => MemoryReading;
  readonly collectGarbage: () => void;
  /** What the process may take in all; Infinity when only the heap has a limit. */
  readonly limitBytes: number;
}

/** Shares above which calls are refused, the more urgent the later: of the heap, and of what there was for all work at start. */
const refusedAbove: Readonly<Record<Priority, { readonly heap: number; readonly all: number }>> = {
  low: { heap: 0.75, all: 0.5 },
  normal: { heap: 0.85, all: 0.6 },
  high: { heap: 0.9, all: 0.7 },
};
/** Share of the same that results and requests take as bytes: above this no work begins, */
const waitAbove = 0.4;
/** and above this results that are being gathered are given up. What is left over is for their way out, on which they are copied. */
const fullAbove = 0.7;

const readAgainMs = 10;
/** Collecting stops the process for some 20 ms: so long after the last time, or when so much has been taken since. */
const collectAgainMs = 250;
const collectAgainShare = 0.1;
const lookAgainMs = 20;
const longestWaitMs = 2_000;
/** So long after `waitAbove` work begins step by step: nobody knows what it will need before it has begun. */
const carefulMs = 2_000;
const mostAtOnce = 1_000;
/** Of the limit: what is resident is some more than what is counted. */
const usableShare = 0.8;
/** Where the process alone takes as good as all. */
const leastForWorkBytes = 32 * 1024 * 1024;

interface Waiter {
  readonly untilMs: number;
  readonly resolve: () => void;
  readonly reject: (error: HoldfastError) => void;
}

/**
 * Lets work begin while there is memory for it, and refuses calls when there is little left, rather than let the kernel or V8 end the process.
 *
 * Free → careful, when much is taken: work waits and begins one by one, then two by two, four by four …, as long as there is room; from one again
 * when there is none. Careful → free, when there was room for two seconds.
 */
export class MemoryGuard {
  readonly #parts: GuardParts;
  readonly #atStart: MemoryReading;
  readonly #waiters: Waiter[] = [];
  #heapShare = 0;
  #share = 0;
  #buffersShare = 0;
  #readAtMs = -Infinity;
  #collectedAtMs = -Infinity;
  #collectedShare = 0;
  #carefulUntilMs = -Infinity;
  #atOnce = 1;
  /** How many of those who have waited may begin. */
  #letIn = 0;

  constructor(parts: GuardParts) {
    this.#parts = parts;
    this.#atStart = parts.read();
  }

  /** Why a call of this priority cannot begin now, or undefined. */
  refusal(priority: Priority, nowMs: number): HoldfastError | undefined {
    this.#lookAt(nowMs);
    const { heap, all } = refusedAbove[priority];
    return this.#heapShare < heap && this.#share < all ? undefined : memoryPressure();
  }

  /** Undefined while work may begin; else resolves when there may be memory for it, or rejects after a while (MEMORY_PRESSURE). */
  room(): Promise<void> | undefined {
    const nowMs = this.#parts.clock.now();
    this.#lookAt(nowMs);
    if (nowMs >= this.#carefulUntilMs) return undefined;
    if (this.#letIn > 0) {
      this.#letIn -= 1;
      return undefined;
    }
    return new Promise((resolve, reject) => {
      this.#waiters.push({ untilMs: nowMs + longestWaitMs, resolve, reject });
      if (this.#waiters.length === 1) this.#lookLater();
    });
  }

  /** Whether what is being gathered is to be given up. */
  isFull(): boolean {
    this.#look(this.#parts.clock.now());
    return this.#buffersShare >= fullAbove;
  }

  #lookLater(): void {
    this.#parts.clock.after(lookAgainMs, () => {
      const nowMs = this.#parts.clock.now();
      this.#lookAt(nowMs);
      if (this.#buffersShare < waitAbove) {
        const batch = this.#waiters.splice(0, this.#atOnce);
        this.#letIn = batch.length;
        for (const { resolve } of batch) resolve();
        this.#atOnce = Math.min(2 * this.#atOnce, mostAtOnce);
      }
      while ((this.#waiters[0]?.untilMs ?? Infinity) <= nowMs) {
        this.#waiters.shift()?.reject(memoryPressure());
      }
      if (this.#waiters.length > 0) this.#lookLater();
    });
  }

  #lookAt(nowMs: number): void {
    if (nowMs - this.#readAtMs >= readAgainMs) this.#look(nowMs);
  }

  #look(nowMs: number): void {
    this.#readAtMs = nowMs;
    this.#read();
    const most = Math.max(this.#share, this.#heapShare / 2);
    if (most < waitAbove) return;
    const isLong = nowMs - this.#collectedAtMs >= collectAgainMs;
    if (isLong || this.#share > this.#collectedShare + collectAgainShare) {
      // Much of it may be garbage, and V8 is in no hurry: without this a sidecar that refuses everything would never find out.
      this.#parts.collectGarbage();
      this.#collectedAtMs = nowMs;
      this.#read();
      this.#collectedShare = this.#share;
    }
    if (this.#buffersShare < waitAbove) return;
    this.#carefulUntilMs = nowMs + carefulMs;
    this.#atOnce = 1;
  }

  #read(): void {
    const { heapBytes, heapLimitBytes, bufferBytes, totalBytes } = this.#parts.read();
    const usable = usableShare * this.#parts.limitBytes;
    const forWorkBytes = Math.max(leastForWorkBytes, usable - this.#atStart.totalBytes);
    this.#heapShare = heapBytes / heapLimitBytes;
    this.#buffersShare = (bufferBytes - this.#atStart.bufferBytes) / forWorkBytes;
    this.#share = (totalBytes - this.#atStart.totalBytes) / forWorkBytes;
  }
}

const memoryPressure = (): HoldfastError =>
  new HoldfastError('exhausted', 'MEMORY_PRESSURE', 'the sidecar has little memory left', {
    retryAfterMs: 200,
  });

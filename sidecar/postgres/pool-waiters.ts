import type { Call } from '../../platform/call.ts';
import type { Clock } from '../../platform/clock.ts';
import type { HoldfastError } from '../../platform/errors.ts';
import type { Member } from './pool-members.ts';
import { WaitQueue } from '../../platform/wait-queue.ts';

export interface Waiter<C> {
  /** Whether it is content with a connection that others read on, too. */
  readonly shares: boolean;
  readonly sinceMs: number;
  readonly grant: (member: Member<C>) => void;
  readonly refuse: (error: HoldfastError) => void;
}

interface WaitOptions {
  readonly call: Call;
  readonly shares: boolean;
  readonly timeoutMs: number;
}

interface WaiterParts {
  readonly clock: Clock;
  readonly exhausted: (waitedMs: number) => HoldfastError;
  readonly onRefused: () => void;
  readonly onWaited: (ms: number) => void;
}

/** Those who wait for a connection of a pool: until it is granted, their time is up, or their call ends. */
export class PoolWaiters<C> {
  readonly #queue = new WaitQueue<Waiter<C>>();
  readonly #parts: WaiterParts;

  constructor(parts: WaiterParts) {
    this.#parts = parts;
  }

  get length(): number {
    return this.#queue.length;
  }

  get first(): Waiter<C> | undefined {
    return this.#queue.peek();
  }

  /** Gives the first one what it waits for. */
  grantFirst(member: Member<C>): void {
    this.#queue.shift()?.grant(member);
  }

  refuseAll(error: HoldfastError): void {
    for (const waiter of this.#queue.drain()) waiter.refuse(error);
  }

  wait({ call, shares, timeoutMs }: WaitOptions): Promise<Member<C>> {
    const { clock, exhausted, onRefused, onWaited } = this.#parts;
    if (call.ended !== undefined) return Promise.reject(call.ended);
    const sinceMs = clock.now();
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        leave();
        stopTimer();
        unlisten();
        onWaited(clock.now() - sinceMs);
      };
      const refuse = (error: HoldfastError): void => {
        settle();
        reject(error);
        onRefused();
      };
      const grant = (member: Member<C>): void => {
        settle();
        resolve(member);
      };
      const exhaust = (): void => refuse(exhausted(clock.now() - sinceMs));
      const leave = this.#queue.push({ shares, sinceMs, grant, refuse }, call.priority);
      const stopTimer = clock.after(timeoutMs, exhaust);
      // At its deadline the caller wants to know what it waited for, not that time passes.
      const unlisten = call.onEnd((reason) => {
        if (reason.kind === 'deadline') exhaust();
        else refuse(reason);
      });
    });
  }
}

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Call, cancelled, deadlineExceeded, type Scope } from './call.ts';

const scope: Scope = { onClose: () => () => {}, push: () => {} };
const aCall = (): Call => new Call({ scope, deadlineAtMs: Infinity });

test('a call has what it was given, and defaults for the rest', () => {
  expect(aCall()).toMatchObject({ scope, priority: 'normal', traceparent: '', transactionId: 0 });
  const options = { priority: 'high', traceparent: '00-a-b-01', transactionId: 7 } as const;
  const call = new Call({ scope, deadlineAtMs: 5, ...options });
  expect(call).toMatchObject({ deadlineAtMs: 5, ...options });
});

describe('the end of a call', () => {
  test('comes once: the first reason stands', () => {
    const call = aCall();
    const first = cancelled();
    expect(call.ended).toBeUndefined();
    expect(() => call.throwIfEnded()).not.toThrow();
    call.end(first);
    call.end(deadlineExceeded());
    expect(call.ended).toBe(first);
    expect(() => call.throwIfEnded()).toThrow(first);
  });

  test('is told to every listener once, and never to one that was taken off', () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { maxLength: 12 }), fc.boolean(), (taken, midway) => {
        const call = aCall();
        const told: number[] = [];
        const offs = taken.map((_, at) => call.onEnd(() => told.push(at)));
        taken.forEach((off, at) => {
          if (off) offs[at]?.();
        });
        // One that joins after others left takes a place of its own.
        const late = taken.length;
        if (midway) call.onEnd(() => told.push(late));
        call.end(cancelled());
        call.end(cancelled());
        for (const off of offs) off();
        const expected = taken.flatMap((off, at) => (off ? [] : [at]));
        expect(told.toSorted((a, b) => a - b)).toEqual(midway ? [...expected, late] : expected);
      }),
      { numRuns: 200 },
    );
  });

  test('is told at once to a listener that comes after it', () => {
    const call = aCall();
    const reason = deadlineExceeded();
    call.end(reason);
    const told: unknown[] = [];
    const off = call.onEnd((why) => told.push(why));
    off();
    expect(told).toEqual([reason]);
  });

  test('is told once to a listener that ends the call again', () => {
    const call = aCall();
    let told = 0;
    call.onEnd(() => {
      told += 1;
      call.end(deadlineExceeded());
    });
    call.end(cancelled());
    expect(told).toBe(1);
  });

  test('is not told to a listener that another one takes off meanwhile', () => {
    const call = aCall();
    const told: string[] = [];
    let off = (): void => {};
    call.onEnd(() => {
      told.push('first');
      off();
    });
    off = call.onEnd(() => told.push('second'));
    call.onEnd(() => told.push('third'));
    call.end(cancelled());
    expect(told).toEqual(['first', 'third']);
  });
});

describe('a call with less time', () => {
  const traced = new Call({
    scope,
    deadlineAtMs: 500,
    priority: 'low',
    traceparent: '00-a-b-01',
    transactionId: 7,
  });

  test('is the same call but for its deadline', () => {
    const { priority, traceparent, transactionId } = traced;
    const same = { scope, priority, traceparent, transactionId };
    expect(traced.within(50)).toMatchObject({ deadlineAtMs: 50, ...same });
  });

  test('ends with the other one, whoever else listens to that', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('listener', 'call')), (joining) => {
        const call = aCall();
        const told: unknown[] = [];
        for (const what of joining) {
          if (what === 'listener') call.onEnd((reason) => told.push(reason));
          else call.within(50).onEnd((reason) => told.push(reason));
        }
        const reason = cancelled();
        call.end(reason);
        expect(told).toEqual(joining.map(() => reason));
      }),
    );
  });

  test('ends at once when the other one has ended', () => {
    const call = aCall();
    const reason = cancelled();
    call.end(reason);
    expect(call.within(50).ended).toBe(reason);
  });

  test('ends by itself without the other one', () => {
    const call = aCall();
    call.within(50).end(deadlineExceeded());
    expect(call.ended).toBeUndefined();
  });

  test('does not end any more with one that it was parted from', () => {
    const call = aCall();
    const [first, second] = [call.within(50), call.within(60)];
    call.part(first);
    const third = call.within(70);
    call.part(second);
    call.end(cancelled());
    expect([first, second, third].map(({ ended }) => ended?.kind)).toEqual([
      undefined,
      undefined,
      'cancelled',
    ]);
  });
});

describe('room for a large answer', () => {
  /** A client that takes nothing until it is told to. */
  function slowClient(): { call: Call; catchUp: () => void } {
    let catchUp = (): void => {};
    const room = new Promise<void>((resolve) => (catchUp = resolve));
    const call = new Call({ scope: { ...scope, room: () => room }, deadlineAtMs: Infinity });
    return { call, catchUp };
  }

  test('is there for a client that takes its answers, and where nobody counts them', () => {
    expect(aCall().room()).toBeUndefined();
    const call = new Call({ scope: { ...scope, room: () => undefined }, deadlineAtMs: Infinity });
    expect(call.room()).toBeUndefined();
  });

  test('comes when the client has caught up', async () => {
    const { call, catchUp } = slowClient();
    const room = call.room();
    catchUp();
    await expect(room).resolves.toBeUndefined();
    expect(() => call.end(cancelled())).not.toThrow();
  });

  test('is not waited for longer than the call lives', async () => {
    const { call } = slowClient();
    const reason = deadlineExceeded();
    const room = call.room();
    call.end(reason);
    await expect(room).rejects.toBe(reason);
    await expect(call.room()).rejects.toBe(reason);
  });

  test('is told when there is none for too long', async () => {
    const full = new Error('full');
    const scope = { onClose: () => () => {}, push: () => {}, room: () => Promise.reject(full) };
    const call = new Call({ scope, deadlineAtMs: Infinity });
    await expect(call.room()).rejects.toBe(full);
  });
});

describe('the signal of a call', () => {
  test('aborts with the reason, and is one and the same', () => {
    const call = aCall();
    const { signal } = call;
    expect(call.signal).toBe(signal);
    expect(signal.aborted).toBe(false);
    const reason = cancelled();
    call.end(reason);
    expect(signal.aborted).toBe(true);
    expect(signal.reason).toBe(reason);
  });

  test('has aborted when it is asked for after the end', () => {
    const call = aCall();
    const reason = deadlineExceeded();
    call.end(reason);
    expect(call.signal.reason).toBe(reason);
  });
});

test('the two reasons are told apart by their kinds', () => {
  expect(cancelled()).toMatchObject({ kind: 'cancelled', reason: 'CANCELLED' });
  expect(deadlineExceeded()).toMatchObject({ kind: 'deadline', reason: 'DEADLINE_EXCEEDED' });
});

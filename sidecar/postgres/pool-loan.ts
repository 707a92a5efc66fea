import type { Call } from '../../platform/call.ts';

/** A borrowed connection. It has to be given back; what comes after the first time is ignored. */
export interface Loan<C> {
  readonly connection: C;
  /** Calls back when the connection is gone before it was given back; at once when it is. There is one listener, the last one. */
  onLost(listener: () => void): void;
  /** `dirty`: the session was changed and has to be reset first. Broken connections are noticed without a word. */
  giveBack(dirty?: boolean): void;
}

/** The lender's side of a loan. */
interface Lent<C> extends Loan<C> {
  /** The connection is gone. */
  readonly lose: () => void;
}

export function makeLoan<C>(connection: C, onReturn: (dirty: boolean) => void): Lent<C> {
  let out = true;
  let gone = false;
  let lost: (() => void) | undefined;
  return {
    connection,
    onLost: (listener) => {
      if (gone) listener();
      else lost = listener;
    },
    lose: () => {
      gone = true;
      lost?.();
    },
    giveBack: (dirty = false) => {
      if (!out) return;
      out = false;
      lost = undefined;
      onReturn(dirty);
    },
  };
}

/** Call.room(); while there is none, others have the connection. */
export function roomElseGiveBack<C>(loan: Loan<C>, call: Call): Promise<void> | undefined {
  const room = call.room();
  if (room !== undefined) loan.giveBack();
  return room;
}

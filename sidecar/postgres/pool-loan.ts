/** A borrowed connection. It has to be given back; what comes after the first time is ignored. */
export interface Loan<C> {
  readonly connection: C;
  /** `dirty`: the session was changed and has to be reset first. Broken connections are noticed without a word. */
  giveBack(dirty?: boolean): void;
}

export function makeLoan<C>(connection: C, onReturn: (dirty: boolean) => void): Loan<C> {
  let out = true;
  return {
    connection,
    giveBack: (dirty = false) => {
      if (!out) return;
      out = false;
      onReturn(dirty);
    },
  };
}

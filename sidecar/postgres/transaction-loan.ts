import type { Entry } from '../resilience/target.ts';
import type { Loan } from './pool-loan.ts';

/** The loan of a transaction: giving it back is the end of one call to the target. */
export function loanOf<C extends { readonly usable: boolean }>(
  loan: Loan<C>,
  entry: Entry,
): Loan<C> {
  let lost = false;
  return {
    connection: loan.connection,
    onLost: (listener) =>
      loan.onLost(() => {
        lost = true;
        listener();
      }),
    giveBack: (dirty) => {
      // A statement may learn that the connection broke before its listener does.
      const isBroken = lost || !loan.connection.usable;
      loan.giveBack(dirty);
      void entry.settle(isBroken ? 'failure' : 'waited');
    },
  };
}

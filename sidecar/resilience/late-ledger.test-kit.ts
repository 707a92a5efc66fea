import type { Call } from '../../platform/call.ts';
import type { HoldfastError } from '../../platform/errors.ts';
import type {
  CostAccount,
  CostLedger,
  Micros,
  ReservationRequest,
  Reserved,
} from './cost-ledger.ts';

const account: CostAccount = { settled: 0, reserved: 0, overshoot: 0, windowEndsInMs: 1 };

/** A reservation, and the call that it was asked for. */
interface Asked {
  readonly call: Call;
  answered: boolean;
  readonly grant: () => void;
  readonly refuse: (error: HoldfastError) => void;
}

/** Books far away: they answer to a reservation when the test says so, even when nobody listens any more. */
export class LateLedger implements CostLedger {
  readonly limit = Infinity;
  /** What was put aside and neither settled nor released. */
  readonly open = new Set<string>();
  readonly settled: (Micros | undefined)[] = [];
  released = 0;
  readonly asked: Asked[] = [];

  get unanswered(): readonly Asked[] {
    return this.asked.filter(({ answered }) => !answered);
  }

  reserve({ id, amount, ttlMs }: ReservationRequest, call: Call): Promise<Reserved> {
    this.open.add(id);
    return new Promise((resolve, reject) => {
      const asked: Asked = {
        call,
        answered: false,
        grant: () => {
          asked.answered = true;
          resolve({ id, amount, expiresInMs: ttlMs, account });
        },
        refuse: (error) => {
          asked.answered = true;
          if (error.reason === 'COST_BUDGET_EXCEEDED') this.open.delete(id);
          reject(error);
        },
      };
      this.asked.push(asked);
    });
  }

  settle(id: string, actual: Micros | undefined): Promise<Micros> {
    this.#close(id);
    this.settled.push(actual);
    return Promise.resolve(0);
  }

  release(id: string): Promise<void> {
    this.#close(id);
    this.released += 1;
    return Promise.resolve();
  }

  account(): CostAccount {
    return account;
  }

  configure(): void {}

  #close(id: string): void {
    if (!this.open.delete(id)) throw new Error('it is not open');
  }
}

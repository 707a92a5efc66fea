import type { Call } from '../../platform/call.ts';
import type {
  CostAccount,
  CostLedger,
  Micros,
  ReservationRequest,
  Reserved,
} from './cost-ledger.ts';

const account: CostAccount = { settled: 0, reserved: 0, overshoot: 0, windowEndsInMs: 1 };

/** Books far away: they answer to a reservation when the test says so, even when nobody listens any more. */
export class LateLedger implements CostLedger {
  readonly limit = Infinity;
  /** What was put aside and neither settled nor released. */
  readonly open = new Set<string>();
  readonly settled: (Micros | undefined)[] = [];
  released = 0;
  /** Reservations that have no answer yet, and the calls they were asked for. */
  readonly asked: {
    readonly call: Call;
    readonly grant: () => void;
    readonly refuse: (error: Error) => void;
  }[] = [];

  reserve({ id, amount, ttlMs }: ReservationRequest, call: Call): Promise<Reserved> {
    this.open.add(id);
    return new Promise((resolve, reject) => {
      const grant = (): void => resolve({ id, amount, expiresInMs: ttlMs, account });
      this.asked.push({ call, grant, refuse: reject });
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

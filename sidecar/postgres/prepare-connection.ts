import type { Clock } from '../../platform/clock.ts';
import type { HoldfastError } from '../../platform/errors.ts';
import { controlStatement } from './control-statement.ts';
import { Exchange, type Step, type TransactionStatus } from './exchange.ts';

/** What is done to a connection. */
interface Preparable {
  readonly status: TransactionStatus;
  submit(exchange: Exchange): void;
  quiet(): Promise<void>;
  destroy(reason: HoldfastError): void;
  forgetStatements(): void;
}

interface PrepareParts {
  readonly clock: Clock;
  readonly lost: (cause: unknown) => HoldfastError;
}

const timeoutMs = 2_000;
const rollback = controlStatement('ROLLBACK');
const discard = controlStatement('DISCARD ALL');

/** Makes a session as good as new when it is dirty; asks whether it still works when not. Rejects when it does not, in time, and cuts it. */
export async function prepareConnection(
  connection: Preparable,
  dirty: boolean,
  { clock, lost }: PrepareParts,
): Promise<void> {
  const runAlone = async (steps: readonly Step[]): Promise<void> => {
    const exchange = new Exchange(steps, 0);
    connection.submit(exchange);
    await exchange.done;
    if (exchange.failure !== undefined || exchange.status !== 'I') {
      throw lost(exchange.failure?.error);
    }
  };
  const stop = clock.after(timeoutMs, () =>
    connection.destroy(lost(new Error('no answer to a probe'))),
  );
  try {
    await connection.quiet();
    if (dirty && connection.status !== 'I') await runAlone([rollback]);
    await runAlone(dirty ? [discard] : []);
    if (dirty) connection.forgetStatements();
  } finally {
    stop();
  }
}

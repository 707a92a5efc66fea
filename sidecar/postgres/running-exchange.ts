import type { Call } from '../../platform/call.ts';
import type { Connection } from './connection.ts';
import type { Exchange } from './exchange.ts';

/** The one exchange of a transaction that is under way, so that it can be stopped from outside. */
export class RunningExchange {
  #running: { readonly connection: Connection; readonly exchange: Exchange } | undefined;

  /** Runs an exchange to its end, which the call may hasten. */
  async perform(connection: Connection, exchange: Exchange, call: Call): Promise<void> {
    this.#running = { connection, exchange };
    connection.submit(exchange);
    const unlisten = call.onEnd(() => connection.cancel(exchange));
    await exchange.done;
    unlisten();
    if (exchange.cancelRequested) await connection.quiet();
    this.#running = undefined;
  }

  cancel(): void {
    this.#running?.connection.cancel(this.#running.exchange);
  }
}

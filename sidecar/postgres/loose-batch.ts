import { cancelled, type Call } from '../../platform/call.ts';
import type { HoldfastError } from '../../platform/errors.ts';
import type { Connection } from './connection.ts';
import { Exchange, type StatementResult, type Step } from './exchange.ts';
import { exchangeError, isStale } from './exchange-error.ts';

/** Statements that are under way at once: what is sent can hardly be stopped any more when the call ends. */
const sentAtOnce = 16;

interface LooseBatch {
  readonly pool: string;
  readonly steps: readonly Step[];
  /** Of all results together. */
  readonly maxResultBytes: number;
  readonly call: Call;
}

/** The exchanges of a batch whose statements commit one by one, as far as they were sent. */
export async function runLoosely(
  connection: Connection,
  { steps, maxResultBytes, call }: LooseBatch,
): Promise<readonly Exchange[]> {
  let leftBytes = maxResultBytes;
  const sent: Exchange[] = [];
  const unlisten = call.onEnd(() => sent.forEach((exchange) => connection.cancel(exchange)));
  for (let at = 0; at < steps.length && call.ended === undefined; at += sentAtOnce) {
    const few = steps.slice(at, at + sentAtOnce).map((step) => new Exchange([step], leftBytes));
    for (const exchange of few) connection.submit(exchange);
    sent.push(...few);
    for (const exchange of few) {
      exchange.maxResultBytes = leftBytes;
      await exchange.done;
      leftBytes = Math.max(0, leftBytes - exchange.resultBytes);
    }
  }
  unlisten();
  return sent;
}

/** What became of each statement. */
export function looseResults(
  connection: Connection,
  exchanges: readonly Exchange[],
  { pool, steps, call }: LooseBatch,
): readonly (StatementResult | HoldfastError)[] {
  return steps.map(({ profile }, at) => {
    const exchange = exchanges[at];
    if (exchange === undefined) return call.ended ?? cancelled();
    if (isStale(exchange)) connection.forgetStatement(profile.sql);
    if (exchange.failure === undefined) return exchange.results[0] as StatementResult;
    return exchangeError(exchange, call, { pool, writes: !profile.reads });
  });
}

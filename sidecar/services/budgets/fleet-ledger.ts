import { readFileSync } from 'node:fs';
import type { Call } from '../../../platform/call.ts';
import { HoldfastError } from '../../../platform/errors.ts';
import type { Safety } from '../../postgres/database.ts';
import type { Statement, StatementResult } from '../../postgres/exchange.ts';
import { decodeRows, type DecodedRow } from '../../postgres/result-decoder.ts';
import type {
  CostAccount,
  CostEvents,
  CostLedger,
  CostSettings,
  Micros,
  ReservationRequest,
  Reserved,
} from '../../resilience/cost-ledger.ts';
import type { TargetKind } from '../../resilience/target-parts.ts';
import {
  costExceeded,
  reservationIdUsed,
  unknownReservation,
} from '../../resilience/cost-refusals.ts';

/** What the books need of a database. */
export interface LedgerDatabase {
  query(statement: Statement, call: Call, safety: Safety): Promise<StatementResult>;
}

interface LedgerParts {
  /** Of the policy: the same target elsewhere has other books. */
  readonly namespace: string;
  readonly kind: TargetKind;
  readonly target: string;
  /** Name of the pool, for errors. */
  readonly pool: string;
  /** Asked for at each request; throws UNKNOWN_POOL. */
  readonly database: () => LedgerDatabase;
  readonly events: CostEvents;
}

const sqlOf = (name: string): string => readFileSync(new URL(name, import.meta.url), 'utf8');
const reserveSql = sqlOf('reserve.sql');
const endSql = sqlOf('end.sql');
const accountSql = sqlOf('account.sql');

/** Whatever was noted the first time is told again. */
const repeatable: Safety = { idempotent: true };

/**
 * The books of a whole fleet, in schema `holdfast` of a database: one statement a request, by the server's clock. Nothing is kept here, so nothing is lost
 * with the sidecar; without the database nothing is granted. Shared by all calls to a target.
 */
export class FleetLedger implements CostLedger {
  readonly #parts: LedgerParts;
  #settings: CostSettings;

  constructor(settings: CostSettings, parts: LedgerParts) {
    this.#settings = settings;
    this.#parts = parts;
  }

  get limit(): Micros {
    return this.#settings.limit;
  }

  async reserve({ id, key, amount, ttlMs }: ReservationRequest, call: Call): Promise<Reserved> {
    const { target } = this.#parts;
    const { limit, windowMs } = this.#settings;
    const row = await this.#ask(reserveSql, call, [
      key,
      windowMs,
      id,
      amount,
      Math.ceil(ttlMs),
      limit,
      this.#warnFrom(),
    ]);
    const [outcome, reserved, expiresIn, ...more] = row;
    const account = accountOf(more);
    const [warned, expired] = more.slice(4);
    this.#tell(warned, Number(expired));
    switch (outcome) {
      case 'reserved':
        return { id, amount: Number(reserved), expiresInMs: Number(expiresIn), account };
      case 'over':
        throw costExceeded(target, amount, limit, account);
      case 'other key':
        throw reservationIdUsed(target);
      default:
        throw unknownReservation(target);
    }
  }

  settle(id: string, actual: Micros | undefined, call: Call): Promise<Micros> {
    return this.#end(id, 'settled', actual, call);
  }

  async release(id: string, call: Call): Promise<void> {
    await this.#end(id, 'released', undefined, call);
  }

  async account(key: string, call: Call): Promise<CostAccount> {
    return accountOf(await this.#ask(accountSql, call, [key, this.#settings.windowMs]));
  }

  configure(settings: CostSettings): void {
    this.#settings = settings;
  }

  async #end(
    id: string,
    state: 'settled' | 'released',
    actual: Micros | undefined,
    call: Call,
  ): Promise<Micros> {
    const { target, events } = this.#parts;
    const row = await this.#ask(endSql, call, [id, state, actual, this.#warnFrom()]);
    const [outcome, overshoot, noted, charged, warned, expired] = row;
    this.#tell(warned, Number(expired));
    if (outcome !== 'ended') throw unknownReservation(target);
    if (noted === 't' && state === 'settled') {
      events.charged(Number(charged));
      if (overshoot !== '0') events.overshot(Number(overshoot));
    }
    return Number(overshoot);
  }

  #tell(warned: string | null | undefined, expired: Micros): void {
    const { events } = this.#parts;
    if (warned === 't') events.warned();
    if (expired > 0) events.expired(expired);
  }

  #warnFrom(): Micros {
    const { limit, warnAt } = this.#settings;
    return Math.ceil(limit * warnAt);
  }

  async #ask(
    sql: string,
    call: Call,
    more: readonly (string | number | undefined)[],
  ): Promise<DecodedRow> {
    const { namespace, kind, target, database } = this.#parts;
    const params = [namespace, `${kind}/${target}`, ...more].map((each) =>
      each === undefined ? null : `${each}`,
    );
    try {
      const [row] = decodeRows(await database().query({ sql, params }, call, repeatable));
      return row as DecodedRow;
    } catch (thrown) {
      throw this.#failure(HoldfastError.from(thrown));
    }
  }

  #failure(error: HoldfastError): HoldfastError {
    const { pool, target } = this.#parts;
    if (missing.has(error.metadata['sqlstate'] ?? '')) {
      return new HoldfastError(
        'precondition',
        'MIGRATION_REQUIRED',
        `the budget of "${target}" needs the tables and functions of schema holdfast, which the database of pool "${pool}" does not have or does not let this role use: run \`holdfast migrate\``,
        { target: pool, cause: error },
      );
    }
    // What may have been noted is found by its id, or is charged when it expires.
    if (error.reason === 'COMMIT_UNKNOWN') {
      return new HoldfastError(
        'unavailable',
        'DATABASE_UNAVAILABLE',
        `the database of pool "${pool}", which keeps the budget of "${target}", broke off before it answered`,
        { target: pool, cause: error, retryAfterMs: 100 },
      );
    }
    return error;
  }
}

/** No such function, table or schema; no right to it. */
const missing: ReadonlySet<string> = new Set(['42883', '42P01', '3F000', '42501']);

const accountOf = ([settled, reserved, overshoot, endsIn]: DecodedRow): CostAccount => ({
  settled: Number(settled),
  reserved: Number(reserved),
  overshoot: Number(overshoot),
  windowEndsInMs: Number(endsIn),
});

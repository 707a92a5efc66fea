import fc from 'fast-check';
import type { HoldfastError } from '../../platform/errors.ts';
import type { CostAccount, CostLedger, CostSettings, Reserved } from './cost-ledger.ts';
import { aCall } from './ledger-call.test-kit.ts';

/** What is done to a ledger. Ids are few, so that requests are repeated; amounts are whole. */
export type LedgerEvent =
  | {
      readonly kind: 'reserve';
      readonly id: string;
      readonly key: string;
      readonly amount: number;
      readonly ttlMs: number;
    }
  | { readonly kind: 'settle'; readonly id: string; readonly actual: number | undefined }
  | { readonly kind: 'release'; readonly id: string }
  | { readonly kind: 'pass'; readonly ms: number }
  | { readonly kind: 'limit'; readonly limit: number };

interface Entry {
  readonly key: string;
  readonly amount: number;
  readonly windowStartMs: number;
  readonly expiresAtMs: number;
  state: 'open' | 'settled' | 'released' | 'expired';
  charged: number;
  overshoot: number;
}

const id = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h');
export const keys = ['k', 'other'] as const;

/** Histories in which `pass` is of the given lengths. */
export const histories = (
  lengthsMs: readonly number[],
  ttlsMs: readonly number[],
  maxLength: number,
): fc.Arbitrary<LedgerEvent[]> =>
  fc.array(
    fc.oneof(
      {
        weight: 4,
        arbitrary: fc.record({
          kind: fc.constant('reserve' as const),
          id,
          key: fc.constantFrom(...keys),
          amount: fc.oneof(fc.integer({ min: 0, max: 60 }), fc.constantFrom(0, 1, 10, 100)),
          ttlMs: fc.constantFrom(...ttlsMs),
        }),
      },
      {
        weight: 3,
        arbitrary: fc.record({
          kind: fc.constant('settle' as const),
          id,
          actual: fc.option(fc.integer({ min: 0, max: 90 }), { nil: undefined }),
        }),
      },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('release' as const), id }) },
      {
        weight: 2,
        arbitrary: fc.record({
          kind: fc.constant('pass' as const),
          ms: fc.constantFrom(...lengthsMs),
        }),
      },
      {
        weight: 1,
        arbitrary: fc.record({
          kind: fc.constant('limit' as const),
          limit: fc.integer({ min: 0, max: 150 }),
        }),
      },
    ),
    { maxLength },
  );

/** How a request ends: its answer, or the reason of its refusal. */
type Ending = number | string;

/**
 * Says what a ledger must answer: every reservation is kept for ever, and accounts are sums over them. Reasons stand for refusals.
 */
export class LedgerModel {
  readonly #entries = new Map<string, Entry>();
  #settings: CostSettings;
  nowMs: number;

  constructor(settings: CostSettings, nowMs: number) {
    this.#settings = settings;
    this.nowMs = nowMs;
  }

  get settings(): CostSettings {
    return this.#settings;
  }

  configure(limit: number): void {
    this.#settings = { ...this.#settings, limit };
  }

  reserve(event: Extract<LedgerEvent, { kind: 'reserve' }>): Ending {
    const known = this.#entry(event.id);
    if (known !== undefined) {
      if (known.key !== event.key) return 'INVALID_REQUEST';
      return known.state === 'open' ? known.amount : 'UNKNOWN_RESERVATION';
    }
    const { settled, reserved, overshoot } = this.account(event.key);
    if (settled + reserved + overshoot + event.amount > this.#settings.limit) {
      return 'COST_BUDGET_EXCEEDED';
    }
    this.#entries.set(event.id, {
      key: event.key,
      amount: event.amount,
      windowStartMs: this.#windowStartMs(),
      expiresAtMs: this.nowMs + event.ttlMs,
      state: 'open',
      charged: 0,
      overshoot: 0,
    });
    return event.amount;
  }

  settle(event: Extract<LedgerEvent, { kind: 'settle' }>): Ending {
    const entry = this.#entry(event.id);
    if (entry?.state === 'settled') return entry.overshoot;
    if (entry?.state !== 'open') return 'UNKNOWN_RESERVATION';
    const actual = event.actual ?? entry.amount;
    entry.state = 'settled';
    entry.charged = Math.min(actual, entry.amount);
    entry.overshoot = actual - entry.charged;
    return entry.overshoot;
  }

  release(event: Extract<LedgerEvent, { kind: 'release' }>): Ending {
    const entry = this.#entry(event.id);
    if (entry?.state === 'released') return 0;
    if (entry?.state !== 'open') return 'UNKNOWN_RESERVATION';
    entry.state = 'released';
    return 0;
  }

  account(key: string): Omit<CostAccount, 'windowEndsInMs'> {
    const account = { settled: 0, reserved: 0, overshoot: 0 };
    for (const entryId of this.#entries.keys()) {
      const entry = this.#entry(entryId) as Entry;
      if (entry.key !== key || entry.windowStartMs !== this.#windowStartMs()) continue;
      account.settled += entry.charged;
      account.overshoot += entry.overshoot;
      if (entry.state === 'open') account.reserved += entry.amount;
    }
    return account;
  }

  #entry(entryId: string): Entry | undefined {
    const entry = this.#entries.get(entryId);
    if (entry?.state === 'open' && entry.expiresAtMs <= this.nowMs) {
      entry.state = 'expired';
      entry.charged = entry.amount;
    }
    return entry;
  }

  #windowStartMs(): number {
    const { windowMs } = this.#settings;
    return Math.floor(this.nowMs / windowMs) * windowMs;
  }
}

/** Does the same to a ledger and to its model. Returns what differs, and what was promised and does not hold; nothing is good. */
export async function judge(
  event: LedgerEvent,
  ledger: CostLedger,
  model: LedgerModel,
): Promise<string[]> {
  const call = aCall();
  const faults: string[] = [];
  const limit = (): number => model.settings.limit;
  const before = await accounts(ledger);
  let wanted: Ending = 0;
  let got: Ending = 0;
  if (event.kind === 'limit') {
    model.configure(event.limit);
    ledger.configure(model.settings);
  } else if (event.kind === 'reserve') {
    wanted = model.reserve(event);
    got = await ending(async () => {
      const made: Reserved = await ledger.reserve(event, call);
      if (!(made.expiresInMs > 0)) faults.push('a reservation that has expired');
      return made.amount;
    });
  } else if (event.kind === 'settle') {
    wanted = model.settle(event);
    got = await ending(async () => ledger.settle(event.id, event.actual, call));
  } else if (event.kind === 'release') {
    wanted = model.release(event);
    got = await ending(async () => {
      await ledger.release(event.id, call);
      return 0;
    });
  }
  if (wanted !== got) faults.push(`${JSON.stringify(event)}: ${got} instead of ${wanted}`);
  const after = await accounts(ledger);
  for (const [at, key] of keys.entries()) {
    const { settled, reserved, overshoot, windowEndsInMs } = after[at] as CostAccount;
    const should = model.account(key);
    const is = JSON.stringify({ settled, reserved, overshoot });
    if (is !== JSON.stringify(should)) {
      faults.push(`${JSON.stringify(event)}: ${is} instead of ${JSON.stringify(should)}`);
    }
    if (!(windowEndsInMs > 0 && windowEndsInMs <= model.settings.windowMs)) {
      faults.push(`the window ends in ${windowEndsInMs} ms`);
    }
    // A limit may be lowered below what is taken; nothing but that leads there.
    const was = before[at] as CostAccount;
    const grew = settled + reserved > was.settled + was.reserved;
    if (event.kind !== 'pass' && grew && settled + reserved > limit()) {
      faults.push(`${settled} + ${reserved} of ${limit()}`);
    }
  }
  return faults;
}

const accounts = (ledger: CostLedger): Promise<CostAccount[]> =>
  Promise.all(keys.map(async (key) => ledger.account(key, aCall())));

async function ending(work: () => Promise<number>): Promise<Ending> {
  try {
    return await work();
  } catch (thrown) {
    const { reason, retryAfterMs } = thrown as HoldfastError;
    if (reason === 'COST_BUDGET_EXCEEDED' && !(retryAfterMs !== undefined && retryAfterMs > 0)) {
      return 'no retry delay';
    }
    return reason;
  }
}

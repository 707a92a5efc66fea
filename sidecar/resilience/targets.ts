import { HoldfastError } from '../../platform/errors.ts';
import type { CostLedger, CostSettings } from './cost-ledger.ts';
import type { TryCost } from './gate.ts';
import { Target } from './target.ts';
import type { TargetEvents, TargetKind, TargetParts, TargetSettings } from './target-parts.ts';

/** A cost budget, and who keeps its books. */
export interface BudgetSettings extends CostSettings, TryCost {
  /** Name of the database that keeps the fleet's; undefined: each pod for itself. */
  readonly database: string | undefined;
}

/** One target of a policy. */
export interface TargetPolicySettings extends Omit<TargetSettings, 'cost'> {
  readonly kind: TargetKind;
  readonly name: string;
  readonly cost?: BudgetSettings | undefined;
}

interface TargetsParts extends Omit<TargetParts, keyof TargetEvents | 'kind' | 'name'> {
  /** Why no policy names anything yet, while that is so. */
  readonly pending?: () => HoldfastError | undefined;
  readonly events: (kind: TargetKind, name: string) => TargetEvents;
  readonly openLedger: (kind: TargetKind, name: string, settings: BudgetSettings) => CostLedger;
}

interface Entry {
  readonly target: Target;
  /** Whether a policy names it, be it in force or only rehearsed: nobody is refused for the latter. */
  named: boolean;
  readonly books: Books;
  readonly shadowBooks: Books;
}

/** The ledger of a target, and where it is. */
interface Books {
  ledger?: CostLedger | undefined;
  database?: string | undefined;
}

/**
 * What a database does about failures when its policy says nothing of retries: what is safe is repeated at most twice, within a tenth of all calls. A pause
 * of up to 40 ms, then 160: about as long as a connection takes to come back.
 */
const databaseRetry: TargetSettings['retry'] = {
  maxAttempts: 3,
  backoff: { baseMs: 40, maxMs: 160 },
  on: ['unavailable', 'unknown-outcome', 'conflict'],
  budget: { ratio: 0.1, minPerSecond: 10 },
};

/** Every target that calls go to, by kind and name. Shared by all calls; a swap of policy changes what is in it, and keeps state that still fits. */
export class Targets {
  readonly #parts: TargetsParts;
  readonly #entries = new Map<string, Entry>();

  constructor(parts: TargetsParts) {
    this.#parts = parts;
  }

  get all(): readonly Target[] {
    return [...this.#entries.values()].map(({ target }) => target);
  }

  /** The target of a pool or Redis, which is there even if no policy names it. */
  of(kind: 'Postgres' | 'Redis', name: string): Target {
    return this.#entry(kind, name).target;
  }

  /** A target that a policy names. Throws UNKNOWN_TARGET. */
  named(kind: 'Upstream' | 'Guard', name: string): Target {
    const entry = this.#entries.get(`${kind} ${name}`);
    if (entry?.named === true) return entry.target;
    throw this.#parts.pending?.() ?? this.#unknown(kind, ({ target }) => target.kind === kind);
  }

  /** A target with a cost budget: the guarded one, where an upstream of the same name has one, too. Throws UNKNOWN_TARGET. */
  withBudget(name: string): Target {
    // Not the first that came: every sidecar has to find the same books, whatever policies it had before.
    for (const kind of ['Guard', 'Upstream'] as const) {
      const entry = this.#entries.get(`${kind} ${name}`);
      if (entry?.named === true && entry.target.ledger !== undefined) return entry.target;
    }
    throw (
      this.#parts.pending?.() ??
      this.#unknown('with cost', ({ target }) => target.ledger !== undefined)
    );
  }

  /** Label of metrics: never text that a caller made up. */
  label(kind: TargetKind, name: string): string {
    return this.#entries.get(`${kind} ${name}`)?.named === true ? name : 'unknown';
  }

  /** The policies of now: those in force, and those that are only rehearsed beside them. */
  configure(
    enforced: readonly TargetPolicySettings[],
    shadowed: readonly TargetPolicySettings[],
  ): void {
    const inForce = byKey(enforced);
    const inShadow = byKey(shadowed);
    for (const { kind, name } of [...enforced, ...shadowed]) this.#entry(kind, name);
    for (const [key, entry] of this.#entries) {
      const policy = inForce.get(key);
      const shadow = inShadow.get(key);
      entry.named = policy !== undefined || shadow !== undefined;
      const settings = policy ?? {};
      entry.target.configure(
        withDefaults(entry.target.kind, settings),
        this.#ledger(entry.target, entry.books, policy?.cost),
      );
      // A rehearsal spends nothing of what the fleet has.
      const rehearsed = shadow?.cost?.database === undefined ? shadow?.cost : undefined;
      entry.target.shadow(
        shadow === undefined ? undefined : { ...shadow, cost: rehearsed },
        this.#ledger(entry.target, entry.shadowBooks, rehearsed),
      );
    }
  }

  #entry(kind: TargetKind, name: string): Entry {
    const key = `${kind} ${name}`;
    const known = this.#entries.get(key);
    if (known !== undefined) return known;
    const { events, ...parts } = this.#parts;
    const target = new Target({ ...parts, ...events(kind, name), kind, name });
    target.configure(withDefaults(kind, {}));
    const made: Entry = { target, named: false, books: {}, shadowBooks: {} };
    this.#entries.set(key, made);
    return made;
  }

  #ledger(
    { kind, name }: Target,
    books: Books,
    settings: BudgetSettings | undefined,
  ): CostLedger | undefined {
    // What was spent in this window is still spent when the budget comes back.
    if (settings === undefined) return undefined;
    if (books.ledger !== undefined && books.database === settings.database) {
      books.ledger.configure(settings);
    } else {
      books.ledger = this.#parts.openLedger(kind, name, settings);
      books.database = settings.database;
    }
    return books.ledger;
  }

  #unknown(what: string, isMeant: (entry: Entry) => boolean): HoldfastError {
    const known = [...this.#entries.values()]
      .filter((entry) => entry.named && isMeant(entry))
      .map(({ target }) => `"${target.name}"`)
      .join(', ');
    return new HoldfastError(
      'not-found',
      'UNKNOWN_TARGET',
      `no target ${what} has the name that the request gives; the policy has ${known === '' ? 'none' : known}`,
    );
  }
}

const byKey = (
  policies: readonly TargetPolicySettings[],
): ReadonlyMap<string, TargetPolicySettings> =>
  new Map(policies.map((policy) => [`${policy.kind} ${policy.name}`, policy]));

const withDefaults = (kind: TargetKind, settings: TargetSettings): TargetSettings =>
  kind === 'Postgres' && settings.retry === undefined
    ? { ...settings, retry: databaseRetry }
    : settings;

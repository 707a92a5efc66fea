import { isDeepStrictEqual } from 'node:util';
import type { Clock } from '../../platform/clock.ts';
import { HoldfastError } from '../../platform/errors.ts';
import type { Database, DatabaseOptions } from './database.ts';

/** A pool as the policy has it, and where it connects to. */
export interface DatabaseSettings extends DatabaseOptions {
  readonly preparedStatements: boolean;
  /** Opaque here: another value is another place, or other credentials. */
  readonly connection: object;
  /** The connection budget that its sessions count in. */
  readonly budgetRef?: { readonly name: string } | undefined;
}

/** Pools by name. */
export interface NamedDatabases {
  readonly all: readonly Database[];
  /** The pool of a request; empty is `default`. Throws UNKNOWN_POOL. */
  named(pool: string): Database;
  /** Label of metrics: never text that a caller made up. */
  label(pool: string): string;
}

interface DatabasesParts<Settings> {
  readonly clock: Clock;
  /** Opens a pool; `current` gives its settings of now, for each connection that is made. */
  readonly open: (settings: Settings, current: () => Settings) => Database;
  /** New connection settings of a pool: every connection is being replaced. */
  readonly onRenewed: (name: string) => void;
  /** Why there is no pool of a name that was asked for, where it is known. */
  readonly missing?: (name: string) => HoldfastError | undefined;
}

interface Opened<Settings> {
  readonly database: Database;
  /** Of now. */
  readonly current: { settings: Settings };
}

const defaultPool = 'default';
/** In which all connections of a pool are replaced. */
const renewMs = 10_000;
const lookEveryMs = 200;

/** The pools of the policy, by name. Shared by all calls; a swap of policy opens, resizes, renews and drains them. */
export class Databases<Settings extends DatabaseSettings> implements NamedDatabases {
  readonly #parts: DatabasesParts<Settings>;
  readonly #byName = new Map<string, Opened<Settings>>();
  /** Of no policy any more: closed when the last of their calls has ended. */
  readonly #leaving = new Set<Database>();

  constructor(settings: readonly Settings[], parts: DatabasesParts<Settings>) {
    this.#parts = parts;
    this.configure(settings);
  }

  get all(): readonly Database[] {
    return [...this.#byName.values()].map(({ database }) => database);
  }

  /** The pools of now. Calls in flight end as they began; a pool that is gone takes no new ones. */
  configure(settings: readonly Settings[]): void {
    const names = new Set(settings.map(({ name }) => name));
    for (const [name, { database }] of this.#byName) {
      if (names.has(name)) continue;
      this.#byName.delete(name);
      this.#leave(database);
    }
    for (const each of settings) {
      const known = this.#byName.get(each.name);
      const isMoved = known !== undefined && isOfAnotherBudget(known.current.settings, each);
      // Each session counts where it was opened, until it is gone.
      if (isMoved) this.#leave(known.database);
      if (known === undefined || isMoved) this.#open(each);
      else this.#change(known, each);
    }
  }

  named(pool: string): Database {
    const name = pool === '' ? defaultPool : pool;
    const found = this.#byName.get(name);
    if (found !== undefined) return found.database;
    const missing = this.#parts.missing?.(name);
    if (missing !== undefined) throw missing;
    const known = [...this.#byName.keys()].map((each) => `"${each}"`).join(', ');
    throw new HoldfastError(
      'not-found',
      'UNKNOWN_POOL',
      `no PostgreSQL pool has the name that the request gives; the policy has ${known === '' ? 'none' : known}`,
    );
  }

  label(pool: string): string {
    const name = pool === '' ? defaultPool : pool;
    return this.#byName.has(name) ? name : 'unknown';
  }

  /** Ends all pools, those that are leaving too. */
  async close(): Promise<void> {
    await Promise.all([...this.all, ...this.#leaving].map((database) => database.close()));
  }

  #open(settings: Settings): void {
    // The first connections are opened at once.
    const current = { settings };
    const database = this.#parts.open(settings, () => current.settings);
    this.#byName.set(settings.name, { database, current });
  }

  #change({ database, current }: Opened<Settings>, settings: Settings): void {
    const { connection, preparedStatements } = current.settings;
    current.settings = settings;
    database.configure(settings);
    const isSame =
      preparedStatements === settings.preparedStatements &&
      isDeepStrictEqual(connection, settings.connection);
    if (isSame) return;
    database.pool.renew(renewMs);
    this.#parts.onRenewed(settings.name);
  }

  #leave(database: Database): void {
    this.#leaving.add(database);
    const look = (): void => {
      const { lent, shared, waiting } = database.pool.counts;
      if (lent + shared + waiting > 0) return void this.#parts.clock.after(lookEveryMs, look);
      void database.close().finally(() => this.#leaving.delete(database));
    };
    this.#parts.clock.after(lookEveryMs, look);
  }
}

const isOfAnotherBudget = (before: DatabaseSettings, now: DatabaseSettings): boolean =>
  before.budgetRef?.name !== now.budgetRef?.name;

import { HoldfastError } from '../../../platform/errors.ts';
import type { Database } from '../../postgres/database.ts';

const defaultPool = 'default';

/** The pools of the policy, by name. Shared by all calls. */
export class Databases {
  readonly #byName: ReadonlyMap<string, Database>;

  constructor(databases: readonly Database[]) {
    this.#byName = new Map(databases.map((database) => [database.name, database]));
  }

  get all(): readonly Database[] {
    return [...this.#byName.values()];
  }

  /** The pool of a request; empty is `default`. Throws UNKNOWN_POOL. */
  named(pool: string): Database {
    const name = pool === '' ? defaultPool : pool;
    const found = this.#byName.get(name);
    if (found !== undefined) return found;
    const known = [...this.#byName.keys()].map((each) => `"${each}"`).join(', ');
    throw new HoldfastError(
      'not-found',
      'UNKNOWN_POOL',
      `no PostgreSQL pool has the name that the request gives; the policy has ${known === '' ? 'none' : known}`,
    );
  }

  /** Label of metrics: never text that a caller made up. */
  label(pool: string): string {
    const name = pool === '' ? defaultPool : pool;
    return this.#byName.has(name) ? name : 'unknown';
  }
}

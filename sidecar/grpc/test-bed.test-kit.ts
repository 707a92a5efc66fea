import { setTimeout as sleep } from 'node:timers/promises';
import { Metadata } from '@grpc/grpc-js';
import { Client, type QueryResultRow } from 'pg';
import { startSidecar, type TestSidecar } from '../sidecar.test-kit.ts';
import { RawSession } from './raw-session.test-kit.ts';
import { StockClient } from './stock-client.test-kit.ts';

/** A session of the sidecar on the server. */
interface Backend {
  readonly pid: number;
  readonly state: string;
  readonly query: string;
}

interface BedOptions {
  /** Where the sidecar finds the database, when something stands in between. */
  readonly sidecarUrl?: string;
  /** Absent: none. */
  readonly redisUrl?: string;
  /** Fields of spec.postgres[0]. */
  readonly postgres?: object;
  readonly env?: Readonly<Record<string, string>>;
}

/** A sidecar on a test's database, and a superuser's connection beside it. */
export class TestBed implements AsyncDisposable {
  readonly sidecar: TestSidecar;
  readonly #beside: Client;
  readonly #open = new Set<Disposable>();

  constructor(sidecar: TestSidecar, beside: Client) {
    this.sidecar = sidecar;
    this.#beside = beside;
  }

  static async open(
    url: string,
    { sidecarUrl = url, ...options }: BedOptions = {},
  ): Promise<TestBed> {
    const beside = new Client({ connectionString: url, application_name: 'beside' });
    await beside.connect();
    return new TestBed(await startSidecar({ databaseUrl: sidecarUrl, ...options }), beside);
  }

  /** Runs SQL beside the sidecar. */
  async sql<Row extends QueryResultRow>(text: string, ...params: unknown[]): Promise<Row[]> {
    // Without parameters several statements may stand in one text.
    const { rows } = await this.#beside.query<Row>(text, params.length === 0 ? undefined : params);
    return rows;
  }

  async count(table: string): Promise<number> {
    const [row] = await this.sql<{ count: string }>(`select count(*) from ${table}`);
    return Number(row?.count);
  }

  /** A session that has said what it allows. */
  async session(): Promise<RawSession> {
    const session = this.keep(new RawSession(this.sidecar.address));
    await session.until(() => session.messages[0]);
    return session;
  }

  stock(metadata = new Metadata()): StockClient {
    return this.keep(new StockClient(this.sidecar.address, metadata));
  }

  /** Disposes of it with the bed, unless that has happened. */
  keep<Thing extends Disposable>(thing: Thing): Thing {
    this.#open.add(thing);
    return thing;
  }

  /** What the sidecar has open on this database. */
  backends(): Promise<Backend[]> {
    return this.sql<Backend & QueryResultRow>(
      `select pid, state, query from pg_stat_activity
        where datname = current_database() and application_name = 'holdfast'`,
    );
  }

  /** Resolves when every connection of the pool is free, on the server too: nothing runs, nothing is idle in a transaction. */
  async poolWhole(withinMs = 2_000): Promise<void> {
    const { pool } = this.sidecar.app.databases.named('default');
    await eventually(async () => {
      const { idle, connecting, ...busy } = pool.counts;
      void [idle, connecting];
      const inUse = Object.values(busy).reduce((sum, count) => sum + count, 0);
      const backends = await this.backends();
      const idleOnServer = backends.every(({ state }) => state === 'idle');
      if (inUse > 0 || !idleOnServer) {
        throw new Error(`not whole: ${JSON.stringify({ counts: pool.counts, backends })}`);
      }
    }, withinMs);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const each of this.#open) each[Symbol.dispose]();
    await this.sidecar.stop();
    await this.#beside.end();
  }
}

/** Tries until it does not throw, for so long; then throws what it threw last. */
export async function eventually<T>(attempt: () => Promise<T> | T, withinMs = 2_000): Promise<T> {
  const untilMs = performance.now() + withinMs;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (performance.now() > untilMs) throw error;
    }
    await sleep(20);
  }
}

import type { SessionRow } from '../share-messages.ts';
import type { Timeline } from './timeline.test-kit.ts';

/** What a client of the server hears; nothing when its process is gone. */
export interface Client {
  readonly address: string;
  opened(port: number): void;
  refused(port: number): void;
  closed(port: number): void;
}

interface Session extends SessionRow {
  readonly client: Client;
}

/** PostgreSQL as the budget sees it: sessions, with its own CONNECTION LIMIT or without. */
export class Server {
  readonly #time: Timeline;
  readonly #limit: number | undefined;
  readonly #budget: number;
  readonly #sessions = new Map<number, Session>();
  readonly #counts = new Map<string, number>();
  /** Closed by clients before they landed. */
  readonly #givenUp = new Set<number>();
  readonly #landing = new Set<number>();
  /** Sessions of an address outlive their client until then. */
  readonly #lingerUntilMs = new Map<string, number>();
  #port = 0;
  /** Most sessions above the budget, and when they were first. */
  excess = 0;
  excessAtMs: number | undefined;
  refusals = 0;

  constructor(time: Timeline, budget: number, limited: boolean) {
    this.#time = time;
    this.#budget = budget;
    this.#limit = limited ? budget : undefined;
  }

  get sessions(): number {
    return this.#sessions.size;
  }

  count(address: string): number {
    return this.#counts.get(address) ?? 0;
  }

  /** The result is the local port. */
  connect(client: Client): number {
    const port = (this.#port += 1);
    this.#landing.add(port);
    this.#soon(() => this.#land(port, client));
    return port;
  }

  /** The client closes, whether its connect has landed or not. `told`: it waits for the server's end. */
  close(port: number, told: boolean): void {
    this.#soon(() => {
      if (this.#landing.has(port)) this.#givenUp.add(port);
      const session = this.#sessions.get(port);
      if (session === undefined) return;
      const lingerMs = (this.#lingerUntilMs.get(session.address) ?? 0) - this.#time.nowMs;
      this.#time.after(Math.max(0, lingerMs), () => this.#end(port, told));
    });
  }

  linger(address: string, forMs: number): void {
    this.#lingerUntilMs.set(address, this.#time.nowMs + forMs);
  }

  /** pg_stat_activity, a little later. */
  list(done: (rows: SessionRow[]) => void): void {
    this.#soon(() => {
      const rows = [...this.#sessions.values()].map(({ address, port, startedAtMs }) => {
        return { address, port, startedAtMs };
      });
      this.#soon(() => done(rows));
    });
  }

  terminate(rows: readonly SessionRow[]): void {
    this.#soon(() => {
      for (const { port } of rows) this.#end(port, true);
    });
  }

  #land(port: number, client: Client): void {
    this.#landing.delete(port);
    if (this.#limit !== undefined && this.#sessions.size >= this.#limit) {
      this.refusals += 1;
      return this.#soon(() => client.refused(port));
    }
    const { address } = client;
    this.#sessions.set(port, { address, port, startedAtMs: this.#time.nowMs, client });
    this.#counts.set(address, this.count(address) + 1);
    if (this.#sessions.size - this.#budget > this.excess) {
      this.excess = this.#sessions.size - this.#budget;
      this.excessAtMs ??= this.#time.nowMs;
    }
    if (this.#givenUp.delete(port)) this.close(port, true);
    else this.#soon(() => client.opened(port));
  }

  #end(port: number, told: boolean): void {
    const session = this.#sessions.get(port);
    if (session === undefined) return;
    this.#sessions.delete(port);
    this.#counts.set(session.address, this.count(session.address) - 1);
    if (told) this.#soon(() => session.client.closed(port));
  }

  #soon(happen: () => void): void {
    this.#time.after(this.#time.between(1, 25), happen);
  }
}

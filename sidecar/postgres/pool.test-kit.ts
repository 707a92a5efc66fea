import { Call, type Priority, type Scope } from '../../platform/call.ts';
import type { Clock } from '../../platform/clock.ts';
import { HoldfastError } from '../../platform/errors.ts';
import { TestClock } from '../../platform/test-clock.ts';
import { Pool } from './pool.ts';
import type { Loan } from './pool-loan.ts';
import type { Poolable } from './pool-members.ts';
import type { PoolOptions } from './pool-options.ts';
import type { PoolEvents } from './pool-parts.ts';
import { type JoinBudget, sessionTooLate } from './session-budget.ts';

/** How the server that a pool connects to behaves. All times are ms of the test's clock. */
export interface ServerMood {
  /** `full`: it has no session left (53300). `late`: a budget took its leave back. */
  readonly opens: 'well' | 'refused' | 'full' | 'late' | 'timeout';
  readonly openMs: number;
  readonly prepares: 'well' | 'broken';
  readonly prepareMs: number;
  readonly closeMs: number;
}

const good: ServerMood = { opens: 'well', openMs: 5, prepares: 'well', prepareMs: 1, closeMs: 1 };

/** A connection that runs nothing. What it is asked, and when, is kept. */
export class FakeConnection implements Poolable {
  readonly #server: FakeServer;
  readonly openedAtMs: number;
  /** What it was asked to make fit: `dirty` for each time. */
  readonly prepared: boolean[] = [];
  readonly closed: Promise<void>;
  #resolveClosed!: () => void;
  usable = true;
  gone = false;
  preparing = false;
  /** For its borrowers to say: they have changed its session. */
  dirty = false;
  /** When it was last known to work. */
  fitAtMs: number;

  constructor(server: FakeServer) {
    this.#server = server;
    this.openedAtMs = server.clock.now();
    this.fitAtMs = this.openedAtMs;
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
  }

  async prepare(dirty: boolean): Promise<void> {
    const { clock, mood } = this.#server;
    this.prepared.push(dirty);
    this.preparing = true;
    await clock.sleep(mood.prepareMs);
    this.preparing = false;
    if (mood.prepares === 'broken') this.break();
    if (!this.usable) throw new Error('it broke');
    if (dirty) this.dirty = false;
    this.fitAtMs = clock.now();
  }

  /** For tests to say what it runs. */
  loss = 0;
  /** Why it was cut. */
  cutBy: HoldfastError | undefined;

  cut(reason: HoldfastError): void {
    this.cutBy = reason;
    this.close();
  }

  /** Its server always answers. */
  checkAnswer(): void {}

  close(): void {
    this.usable = false;
    this.#server.clock.after(this.#server.mood.closeMs, () => this.#end());
  }

  /** The server, or the network, ends it. */
  break(): void {
    this.usable = false;
    this.#end();
  }

  #end(): void {
    if (this.gone) return;
    this.gone = true;
    this.#server.sessions -= 1;
    this.#resolveClosed();
  }
}

/** Where fake connections come from. */
export class FakeServer {
  readonly clock: TestClock;
  mood: ServerMood = good;
  /** What the server counts: connections from their first packet to their last. */
  sessions = 0;
  attempts = 0;
  failedAtMs = -Infinity;
  readonly connections: FakeConnection[] = [];
  /** Asked before a connection is opened. */
  onOpening: () => void = () => {};

  constructor(clock: TestClock) {
    this.clock = clock;
  }

  behave(mood: Partial<ServerMood>): void {
    this.mood = { ...this.mood, ...mood };
  }

  recover(): void {
    this.mood = good;
  }

  readonly open = async (): Promise<FakeConnection> => {
    this.onOpening();
    this.attempts += 1;
    this.sessions += 1;
    const { opens, openMs } = this.mood;
    await this.clock.sleep(openMs);
    if (opens === 'well') {
      const connection = new FakeConnection(this);
      this.connections.push(connection);
      return connection;
    }
    this.sessions -= 1;
    this.failedAtMs = this.clock.now();
    throw failures[opens]();
  };
}

const failures = {
  refused: () => new HoldfastError('unavailable', 'DATABASE_UNAVAILABLE', 'it cannot be reached'),
  timeout: () => new HoldfastError('unavailable', 'CONNECT_TIMEOUT', 'it did not answer'),
  late: () => sessionTooLate('orders'),
  full: () =>
    new HoldfastError('unavailable', 'DATABASE_UNAVAILABLE', 'too many clients', {
      metadata: { sqlstate: '53300' },
    }),
};

const usual: PoolOptions = {
  min: 0,
  max: 2,
  overflow: 0,
  acquireTimeoutMs: 1_000,
  queueLimit: 100,
  idleTimeoutMs: 10_000,
  maxLifetimeMs: 600_000,
  lifetimeJitter: 0,
  probeAfterMs: 5_000,
};

/** Counts of what the pool told. */
export interface Told {
  readonly waitedMs: number[];
  refused: number;
  opened: number;
  closed: number;
}

export interface TestedPool {
  readonly clock: TestClock;
  readonly server: FakeServer;
  readonly pool: Pool<FakeConnection>;
  readonly told: Told;
  /** Alarms that the pool has set and that may still ring. */
  readonly timers: ReadonlySet<object>;
  readonly resize: (options: Partial<PoolOptions>) => void;
}

/** A pool of fake connections. `random` is 0.5 each time, so that back-offs and lifetimes are in the middle. */
export function aPool(
  options: Partial<PoolOptions> = {},
  random: () => number = () => 0.5,
  joinBudget?: JoinBudget,
): TestedPool {
  const clock = new TestClock();
  const server = new FakeServer(clock);
  const told: Told = { waitedMs: [], refused: 0, opened: 0, closed: 0 };
  const events: PoolEvents = {
    waited: (ms) => told.waitedMs.push(ms),
    refused: () => (told.refused += 1),
    opened: () => (told.opened += 1),
    closed: () => (told.closed += 1),
  };
  let current = { ...usual, ...options };
  const timers = new Set<object>();
  const counted: Clock = {
    now: () => clock.now(),
    wallNow: () => clock.wallNow(),
    sleep: (ms, signal) => clock.sleep(ms, signal),
    after: (ms, ring) => {
      const timer = {};
      timers.add(timer);
      const stop = clock.after(ms, () => {
        timers.delete(timer);
        ring();
      });
      return () => {
        timers.delete(timer);
        stop();
      };
    },
  };
  const pool = new Pool<FakeConnection>(current, {
    name: 'orders',
    clock: counted,
    random,
    open: server.open,
    events,
    joinBudget,
  });
  const resize = (options: Partial<PoolOptions>): void => {
    current = { ...current, ...options };
    pool.resize(current);
  };
  return { clock, server, pool, told, timers, resize };
}

const noScope: Scope = { onClose: () => () => {}, push: () => {} };

export const aCall = (priority: Priority = 'normal', deadlineAtMs = Infinity): Call =>
  new Call({ scope: noScope, deadlineAtMs, priority });

/** What became of a caller's wish for a connection. */
export interface Wish {
  readonly call: Call;
  loan: Loan<FakeConnection> | undefined;
  error: HoldfastError | undefined;
}

/** Asks for a connection and keeps track of the answer. */
export function wish(
  lending: Promise<Loan<FakeConnection>> | Loan<FakeConnection>,
  call: Call,
): Wish {
  const kept: Wish = { call, loan: undefined, error: undefined };
  if (!(lending instanceof Promise)) return Object.assign(kept, { loan: lending });
  lending.then(
    (loan) => (kept.loan = loan),
    (error: HoldfastError) => (kept.error = error),
  );
  return kept;
}

export const borrow = ({ pool }: TestedPool, call = aCall()): Wish => wish(pool.lend(call), call);
export const read = ({ pool }: TestedPool, call = aCall()): Wish => wish(pool.share(call), call);

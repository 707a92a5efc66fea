import { cancelled, deadlineExceeded, type Call, type Priority } from '../../platform/call.ts';
import type { HoldfastError } from '../../platform/errors.ts';
import type { Loan } from './pool-loan.ts';
import type { PoolOptions } from './pool-options.ts';
import type { Ask, PoolStep } from './pool-steps.test-kit.ts';
import { aCall, aPool, type FakeConnection, type TestedPool } from './pool.test-kit.ts';

interface Waiter {
  readonly shares: boolean;
  readonly rank: number;
  readonly number: number;
  readonly dueMs: number;
  readonly call: Call;
}

interface Out {
  readonly loan: Loan<FakeConnection>;
  readonly shares: boolean;
}

const mostReaders = 32;
const maintainEveryMs = 1_000;
const longestBackoffMs = 5_100;
const ranks: Readonly<Record<Priority, number>> = { high: 0, normal: 1, low: 2 };

/** A pool, what happens to it, and a simple account of what must hold. What does not hold is a fault. */
export class PoolHistory {
  readonly faults: string[] = [];
  readonly #tested: TestedPool;
  readonly #server: TestedPool['server'];
  readonly #pool: TestedPool['pool'];
  readonly #endsAtMs = new Map<FakeConnection, number>();
  readonly #random: () => number;
  #waiters: Waiter[] = [];
  #out: Out[] = [];
  #asked = 0;
  #answered = 0;
  #closed = false;

  constructor(options: Partial<PoolOptions>, random: () => number) {
    this.#tested = aPool(options, random);
    this.#random = random;
    ({ server: this.#server, pool: this.#pool } = this.#tested);
    this.#server.onOpening = () => {
      this.#must(!this.#closed, 'it opens a connection after it was closed');
      // What is being opened counts, and what is being closed.
      this.#must(this.#server.sessions < this.#pool.limit, 'it opens more than its limit');
    };
  }

  get #now(): number {
    return this.#tested.clock.now();
  }

  async run(step: PoolStep): Promise<void> {
    switch (step.do) {
      case 'ask':
        for (let time = 0; time < step.times; time += 1) this.#ask(step);
        break;
      case 'give back':
        this.#return(this.#out.splice(step.which % Math.max(1, this.#out.length), 1), step.dirty);
        break;
      case 'give all back':
        this.#return(this.#out.splice(0), step.dirty);
        break;
      case 'cancel':
        pick(this.#waiters, step.which)?.call.end(cancelled());
        break;
      case 'pass deadline':
        pick(this.#waiters, step.which)?.call.end(deadlineExceeded());
        break;
      case 'break':
        pick(this.#alive, step.which)?.break();
        break;
      case 'resize':
        this.#tested.resize(step.options);
        break;
      case 'server':
        this.#server.behave(step.mood);
        break;
      case 'wait':
        await this.#tested.clock.advance(step.ms);
        break;
    }
    await this.#settle();
  }

  /** The server is well again and every loan comes back: the pool serves at once, shrinks to its minimum, and closes without a rest. */
  async endInPeace(): Promise<void> {
    this.#server.recover();
    for (let ms = 0; ms < longestBackoffMs + 2_500; ms += maintainEveryMs) {
      await this.run({ do: 'give all back', dirty: false });
      await this.run({ do: 'wait', ms: maintainEveryMs });
    }
    await this.run({ do: 'give all back', dirty: false });
    this.#must(this.#waiters.length === 0, 'somebody waits though everything is well');
    await this.run({ do: 'ask', shares: false, priority: 'low', leftMs: null, times: 1 });
    await this.run({ do: 'wait', ms: 45 });
    this.#must(this.#out.length === 1, 'nobody is served though everything is well');
    await this.run({ do: 'give all back', dirty: true });
    const { idleTimeoutMs, min, max } = this.#pool.options;
    await this.run({ do: 'wait', ms: 2 * maintainEveryMs + 10 });
    this.#must(this.#open <= max, 'overflow connections stay');
    await this.run({ do: 'wait', ms: idleTimeoutMs + maintainEveryMs });
    const { idle, connecting, closing } = this.#pool.counts;
    this.#must(this.#open === idle && idle <= min, `it has ${this.#open} open, not ${min}`);
    this.#must(idle + connecting + closing >= min, 'it has fewer than its minimum');
    await this.close(1_000);
  }

  /** Closes the pool as it is. */
  async close(cutAfterMs: number): Promise<void> {
    this.#server.behave({ closeMs: 1 });
    let done = false;
    const closing = this.#pool.close(cutAfterMs).then(() => {
      done = true;
    });
    this.#closed = true;
    for (const shares of [false, true]) {
      await this.run({ do: 'ask', shares, priority: 'high', leftMs: null, times: 1 });
    }
    this.#must(this.#waiters.length === 0, 'somebody waits for a pool that is closed');
    await this.run({ do: 'wait', ms: cutAfterMs + 3_000 });
    this.#must(done, 'it does not finish closing');
    await this.run({ do: 'give all back', dirty: true });
    await this.run({ do: 'wait', ms: 3 * maintainEveryMs });
    this.#must(this.#server.sessions === 0, 'it leaves sessions on the server');
    const rest = Object.values(this.#pool.counts).filter((count) => count !== 0);
    this.#must(rest.length === 0, 'its counts are not zero');
    this.#must(this.#tested.timers.size === 0, 'it leaves an alarm set');
    const { opened, closed } = this.#tested.told;
    this.#must(opened === closed, `it told of ${opened} opened and ${closed} closed`);
    this.#must(
      this.#asked === this.#answered,
      `${this.#asked} asked, ${this.#answered} were answered`,
    );
    if (done) await closing;
  }

  get #open(): number {
    const { idle, shared, lent, preparing } = this.#pool.counts;
    return idle + shared + lent + preparing;
  }

  get #alive(): readonly FakeConnection[] {
    return this.#server.connections.filter(({ gone }) => !gone);
  }

  /** Those that nobody has and nothing is done with. */
  get #free(): readonly FakeConnection[] {
    const out = new Set(this.#out.map(({ loan }) => loan.connection));
    return this.#alive.filter((each) => each.usable && !each.preparing && !out.has(each));
  }

  #ask({ shares, priority, leftMs }: Ask): void {
    const deadlineAtMs = leftMs === null ? Infinity : this.#now + leftMs;
    const call = aCall(priority, deadlineAtMs);
    this.#asked += 1;
    const lending = shares ? this.#pool.share(call) : this.#pool.lend(call);
    if (!(lending instanceof Promise)) {
      this.#must(this.#waiters.length === 0, 'somebody overtakes those who wait');
      this.#granted(lending, shares);
      return;
    }
    const dueMs = Math.min(deadlineAtMs, this.#now + this.#pool.options.acquireTimeoutMs);
    const waiter = { shares, call, rank: ranks[priority], number: this.#asked, dueMs };
    this.#waiters.push(waiter);
    const leave = (): void => {
      this.#waiters = this.#waiters.filter((other) => other !== waiter);
    };
    lending.then(
      (loan) => {
        const first = this.#first();
        this.#must(first === waiter, 'somebody is served before those who came first');
        leave();
        this.#granted(loan, shares);
      },
      (error: HoldfastError) => {
        leave();
        this.#answered += 1;
        this.#checkRefusal(waiter, error);
      },
    );
  }

  #first(): Waiter | undefined {
    return this.#waiters.toSorted((a, b) => a.rank - b.rank || a.number - b.number)[0];
  }

  #checkRefusal({ call, dueMs }: Waiter, error: HoldfastError): void {
    const { reason, kind, metadata, retryAfterMs } = error;
    const full = Number(metadata['queue_length']) >= this.#pool.options.queueLimit;
    if (reason === 'POOL_EXHAUSTED') {
      const mayBe = full || call.ended !== undefined || this.#now >= dueMs;
      this.#must(mayBe, 'somebody is refused before the time is up');
      this.#must(retryAfterMs !== undefined, 'a refusal does not say when to come again');
    } else if (reason === 'CANCELLED') {
      this.#must(call.ended?.reason === reason, 'somebody is cancelled without having asked');
    } else if (reason === 'DRAINING') {
      this.#must(this.#closed, 'somebody is refused as if the pool were closed');
    } else {
      this.#must(kind === 'unavailable', `somebody is refused with ${reason}`);
      this.#must(metadata['sqlstate'] !== '53300', 'somebody sees that the server is full');
    }
  }

  #granted(loan: Loan<FakeConnection>, shares: boolean): void {
    const { connection } = loan;
    const others = this.#out.filter((other) => other.loan.connection === connection);
    this.#answered += 1;
    this.#must(!this.#closed, 'a closed pool lends');
    this.#must(
      others.every((other) => other.shares && shares),
      'a connection is lent twice',
    );
    this.#must(others.length < mostReaders, 'a connection has too many readers');
    this.#must(connection.usable, 'a broken connection is lent');
    this.#must(!connection.dirty, 'a dirty connection is lent');
    const idleMs = this.#now - connection.fitAtMs;
    const known = others.length > 0 || idleMs < this.#pool.options.probeAfterMs;
    this.#must(known, 'a connection is lent that may not work');
    this.#out.push({ loan, shares });
  }

  #return(out: readonly Out[], dirty: boolean): void {
    for (const { loan, shares } of out) {
      loan.connection.fitAtMs = this.#now;
      if (!shares) loan.connection.dirty = dirty;
      loan.giveBack(dirty);
      loan.giveBack(!dirty);
    }
  }

  /** Lets everything run that needs no time, then looks at everything. */
  async #settle(): Promise<void> {
    await this.#tested.clock.advance(0);
    const { counts, size, options } = this.#pool;
    for (const connection of this.#alive) {
      if (this.#endsAtMs.has(connection)) continue;
      const { maxLifetimeMs, lifetimeJitter } = options;
      const lifetimeMs = maxLifetimeMs * (1 + lifetimeJitter * (2 * this.#random() - 1));
      this.#endsAtMs.set(connection, connection.openedAtMs + lifetimeMs);
    }
    const { sessions } = this.#server;
    this.#must(size === sessions, `it counts ${size} connections, the server ${sessions}`);
    this.#must(counts.lent === this.#borrowers(false).size, 'it miscounts the lent ones');
    this.#must(counts.shared === this.#borrowers(true).size, 'it miscounts the shared ones');
    this.#must(counts.waiting === this.#waiters.length, 'it miscounts those who wait');
    this.#must(
      this.#waiters.every(({ dueMs }) => dueMs > this.#now),
      'somebody waits for too long',
    );
    this.#must(
      counts.idle === 0 || this.#open <= this.#pool.limit,
      'it keeps idle ones above its limit',
    );
    const late = this.#free.filter((each) => this.#age(each) > maintainEveryMs);
    this.#must(late.length === 0, 'it keeps an idle one past its lifetime');
    this.#checkWork();
  }

  /** Nobody waits for what is there, or for nothing. */
  #checkWork(): void {
    const first = this.#first();
    if (first === undefined) return;
    const { counts, size, limit, options } = this.#pool;
    const ready = this.#free.filter(({ fitAtMs }) => this.#now - fitAtMs < options.probeAfterMs);
    this.#must(ready.length === 0, 'somebody waits beside a connection that is free');
    const shareable = [...this.#borrowers(true)].filter(
      ([connection, readers]) => readers < mostReaders && this.#age(connection) < 0,
    );
    this.#must(!first.shares || shareable.length === 0, 'a reader waits beside others with room');
    const onTheWay = counts.connecting + counts.preparing > 0;
    const backingOff = this.#now - this.#server.failedAtMs <= longestBackoffMs;
    this.#must(onTheWay || backingOff || size >= limit, 'somebody waits for nothing');
  }

  /** Since its lifetime was over, in ms; negative before. */
  #age(connection: FakeConnection): number {
    return this.#now - (this.#endsAtMs.get(connection) ?? Infinity);
  }

  /** How many have each connection. */
  #borrowers(sharing: boolean): Map<FakeConnection, number> {
    const borrowers = new Map<FakeConnection, number>();
    for (const { loan, shares } of this.#out) {
      if (shares !== sharing || !loan.connection.usable) continue;
      borrowers.set(loan.connection, (borrowers.get(loan.connection) ?? 0) + 1);
    }
    return borrowers;
  }

  #must(holds: boolean, otherwise: string): void {
    if (!holds) this.faults.push(`${otherwise} (at ${this.#now} ms)`);
  }
}

const pick = <T>(all: readonly T[], which: number): T | undefined =>
  all[which % Math.max(1, all.length)];

import { type Call, cancelled } from '../../../platform/call.ts';
import type { Clock } from '../../../platform/clock.ts';
import { HoldfastError } from '../../../platform/errors.ts';
import { TurnoverMap } from '../../../platform/turnover-map.ts';
import type { RedisBackend } from '../../redis/redis-backend.ts';
import type { Reply } from '../../redis/reply.ts';
import type { Subscriber } from '../../redis/subscriber.ts';
import type {
  AuthorityEvents,
  Claim,
  Granted,
  LockAuthority,
  LockReading,
  Renewal,
} from './authority.ts';
import { unsupportedRedis } from './lock-refusals.ts';
import { Acquisition, type AcquisitionParts, keyOf, type Settle } from './redis-acquisition.ts';
import { LockChannel, type LockNews } from './redis-channel.ts';
import { Errands } from './errands.ts';
import { listRedisLocks } from './redis-list.ts';
import { Looks } from './looks.ts';
import {
  askLockScript,
  flagWord,
  lockKey,
  lockScripts,
  numberWord,
  runLockScript,
  type ScriptWaiter,
  waiterWord,
  word,
  words,
} from './redis-scripts.ts';

interface RedisAuthorityParts {
  readonly clock: Clock;
  /** 0 to 1, for jitter. */
  readonly random: () => number;
  /** Makes an id that no other sidecar has, of letters, digits and dashes. */
  readonly newId: () => string;
  /** The Redis that the policy names; asked for each request. Throws when it is not there. */
  readonly backend: () => RedisBackend;
  /** Of the same Redis. */
  readonly subscriber: () => Subscriber;
  /** The longest time to live that the policy allows. */
  readonly longestTtlMs: () => number;
  readonly events: AuthorityEvents;
}

/** Locks that one script renews. */
const mostAtOnce = 1_000;
const repeatMs = 200;

/**
 * Locks in one Redis server, or the master that Sentinels name. All rules are in the scripts, which run one after the other: redis/lock.lua says
 * what is kept. This sends them, looks again when it was told to, and cleans up after those who have given up.
 */
export class RedisAuthority implements LockAuthority {
  readonly kind = 'redis';
  readonly #parts: RedisAuthorityParts;
  readonly #channelId: string;
  readonly #channel: LockChannel;
  readonly #looks: Looks;
  /** Several locks may be acquired under one lease. */
  readonly #byLease = new TurnoverMap<string, Acquisition>();
  /** Those in the queue of the server, by the name of the lock. */
  readonly #queued = new Map<string, Set<Acquisition>>();
  readonly #forAll: AcquisitionParts;
  /** Name of the Redis that was asked last. */
  #target = '';
  readonly #errands: Errands;
  readonly #ttlWord = numberWord();
  readonly #longestWord: () => Buffer;

  constructor(parts: RedisAuthorityParts) {
    this.#parts = parts;
    this.#channelId = parts.newId();
    this.#errands = new Errands(parts);
    const longest = numberWord();
    this.#longestWord = () => longest(parts.longestTtlMs());
    this.#looks = new Looks({ ...parts, look: (name, owed) => this.#look(name, owed) });
    this.#forAll = {
      clock: parts.clock,
      random: parts.random,
      target: () => this.#target,
      ask: (acquisition, waits) => this.#ask(acquisition, waits),
      withdraw: (claim) => this.#withdraw(claim.name, this.#waiter(claim), claim.ttlMs),
      look: (name, inMs, owed) => this.#looks.at(name, inMs, owed),
      onQueued: (acquisition) => this.#onQueued(acquisition),
      onOver: (acquisition) => this.#onOver(acquisition),
    };
    this.#channel = new LockChannel({
      ...parts,
      channelId: this.#channelId,
      onNews: (news) => this.#onNews(news),
      onOpen: () => this.#onOpen(),
    });
  }

  acquire(claim: Claim, call: Call, latestAtMs: number): Promise<Granted> {
    const { opening } = this.#channel;
    // A waiter whom nobody can wake counts as gone.
    if (opening !== undefined && latestAtMs > this.#parts.clock.now()) {
      return this.#opened(opening, call).then(() => this.#acquire(claim, call, latestAtMs));
    }
    return this.#acquire(claim, call, latestAtMs);
  }

  #acquire(claim: Claim, call: Call, latestAtMs: number): Promise<Granted> {
    return new Promise((resolve, reject) => {
      this.#server();
      call.throwIfEnded();
      const until = { call, latestAtMs };
      const acquisition = new Acquisition(claim, until, this.#forAll, { resolve, reject });
      this.#byLease.set(acquisition.key, acquisition);
      acquisition.ask();
    });
  }

  async renew(claims: readonly Claim[]): Promise<readonly Renewal[]> {
    const to = this.#server();
    const parts: Promise<readonly Renewal[]>[] = [];
    for (let from = 0; from < claims.length; from += mostAtOnce) {
      parts.push(this.#renewSome(to, claims.slice(from, from + mostAtOnce)));
    }
    return (await Promise.all(parts)).flat();
  }

  async #renewSome(to: RedisBackend, claims: readonly Claim[]): Promise<readonly Renewal[]> {
    const keys = claims.map(({ name }) => lockKey(name));
    const args = claims.flatMap(({ leaseId, owner, ttlMs }) => words(leaseId, owner, ttlMs));
    const { reply, sentAtMs } = await askLockScript(to, lockScripts.renew, keys, args);
    return (reply as readonly Reply[]).map((each) => (each === '1' ? { sentAtMs } : 'gone'));
  }

  release(claim: Claim): Promise<boolean> {
    return new Promise((resolve, reject) => this.#release(claim, { resolve, reject }, false));
  }

  #release(claim: Claim, settle: Settle<boolean>, again: boolean): void {
    const { name, leaseId, owner, ttlMs } = claim;
    const failed = (error: HoldfastError): void => {
      if (error.reason === 'REPLY_LOST' && !again) {
        const delayMs = error.retryAfterMs ?? repeatMs;
        this.#parts.clock.after(delayMs, () => this.#release(claim, settle, true));
        return;
      }
      this.#withdraw(name, this.#waiter(claim), ttlMs);
      settle.reject(error);
    };
    const lease = word(leaseId);
    const args = [lease, owner === leaseId ? lease : word(owner), this.#longestWord()];
    this.#run('release', name, args, {
      answered: (reply) => {
        // Where somebody waits there is more to say than whether it was held.
        const [held, owedInMs] = Array.isArray(reply) ? (reply as string[]) : [reply, '0'];
        this.#looks.at(name, Number(owedInMs), true);
        // The first time it was, if the answer to that was lost.
        settle.resolve(held === '1' || again);
      },
      failed,
    });
  }

  async list(prefix: string, limit: number, call: Call): Promise<readonly LockReading[]> {
    return listRedisLocks(this.#server(), prefix, limit, call);
  }

  async forceRelease(name: string, call: Call): Promise<number> {
    call.throwIfEnded();
    const args = words(this.#parts.longestTtlMs());
    const { reply } = await askLockScript(this.#server(), lockScripts.force, [lockKey(name)], args);
    const [taken, owedInMs] = (reply as readonly string[]).map(Number);
    this.#looks.at(name, owedInMs ?? 0, true);
    return taken ?? 0;
  }

  async close(): Promise<void> {
    this.#looks.close();
    for (const acquisition of this.#byLease.values()) acquisition.end(cancelled());
    await this.#errands.close();
    this.#channel.close();
  }

  #ask(acquisition: Acquisition, waits: boolean): void {
    const { claim } = acquisition;
    const [ttl, longest] = [this.#ttlWord(claim.ttlMs), this.#longestWord()];
    const args = [word(this.#waiter(claim)), ttl, longest, flagWord(waits)];
    this.#run('acquire', claim.name, args, acquisition);
  }

  #run(
    script: 'acquire' | 'release',
    name: string,
    args: readonly Buffer[],
    waiter: ScriptWaiter,
  ): void {
    try {
      runLockScript(this.#server(), lockScripts[script], [lockKey(name)], args, waiter);
    } catch (thrown) {
      waiter.failed(HoldfastError.from(thrown));
    }
  }

  #waiter(claim: Claim): string {
    return waiterWord(claim, this.#channelId);
  }

  #onQueued(acquisition: Acquisition): void {
    const { name } = acquisition.claim;
    const same = this.#queued.get(name);
    if (same === undefined) this.#queued.set(name, new Set([acquisition]));
    else same.add(acquisition);
  }

  #onOver(acquisition: Acquisition): void {
    const { name } = acquisition.claim;
    this.#byLease.delete(acquisition.key);
    const same = this.#queued.get(name);
    if (same?.delete(acquisition) === true && same.size === 0) this.#queued.delete(name);
  }

  #onNews(news: LockNews): void {
    const { name } = news;
    switch (news.kind) {
      case 'woken': {
        const leaseId = news.waiter.slice(0, news.waiter.indexOf(' '));
        const acquisition = this.#byLease.get(keyOf(name, leaseId));
        if (acquisition !== undefined) acquisition.ask();
        // It has the lock, having asked by itself, and keeps it; or it has given up, and the next one need not wait for a second.
        else this.#withdraw(name, news.waiter, 0, false);
        return;
      }
      case 'look':
        return this.#looks.at(name, news.inMs, false);
      case 'forced':
        return this.#parts.events.onForced(name);
      default:
        return news satisfies never;
    }
  }

  /** What was told meanwhile may have been missed, by a server that may be another one. */
  #onOpen(): void {
    this.#errands.run(async () => {
      const args = words(this.#parts.longestTtlMs());
      await askLockScript(this.#server(), lockScripts.adopt, [], args);
    }, this.#parts.longestTtlMs());
    for (const acquisition of this.#byLease.values()) acquisition.ask();
  }

  #look(name: string, owed: boolean): void {
    // Its answer says when to look next; and it finds its place again if that was lost.
    const [first] = this.#queued.get(name) ?? [];
    if (first !== undefined) return first.ask();
    if (!owed) return;
    this.#errands.run(async () => {
      const args = words(this.#parts.longestTtlMs());
      const { reply } = await askLockScript(
        this.#server(),
        lockScripts.look,
        [lockKey(name)],
        args,
      );
      this.#looks.at(name, Number(reply), true);
    }, 0);
  }

  #withdraw(name: string, waiter: string, forMs: number, withGrant = true): void {
    this.#errands.run(async () => {
      const args = words(waiter, this.#parts.longestTtlMs(), withGrant ? 1 : 0);
      const { reply } = await askLockScript(
        this.#server(),
        lockScripts.cancel,
        [lockKey(name)],
        args,
      );
      this.#looks.at(name, Number(reply), true);
    }, forMs);
  }

  #server(): RedisBackend {
    const to = this.#parts.backend();
    this.#target = to.name;
    if (to.options.connection.place.kind === 'cluster') {
      throw unsupportedRedis('it is a Cluster', to.name);
    }
    return to;
  }

  async #opened(opening: Promise<void>, call: Call): Promise<void> {
    this.#server();
    let unlisten = (): void => {};
    const ended = new Promise<never>((_, reject) => {
      unlisten = call.onEnd(reject);
    });
    await Promise.race([opening, ended]).finally(() => unlisten());
    if (this.#channel.fault !== undefined) throw this.#channel.fault;
  }
}

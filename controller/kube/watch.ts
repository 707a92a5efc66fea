import type { Clock } from '../../platform/clock.ts';
import { isExpired, KubeError } from './kube-error.ts';
import { keyOf, type KubeObject } from './resource.ts';

export interface Listed<Item> {
  readonly items: readonly Item[];
  readonly resourceVersion: string;
}

export type WatchEvent<Item> =
  | { readonly type: 'changed' | 'deleted'; readonly object: Item }
  /** So far everything has been told. */
  | { readonly type: 'bookmark'; readonly resourceVersion: string };

/** Where a cache has its objects from; what fails is a KubeError. */
export interface WatchSource<Item> {
  list(signal: AbortSignal): Promise<Listed<Item>>;
  /** Ends when the server likes. */
  watch(resourceVersion: string, signal: AbortSignal): AsyncIterable<WatchEvent<Item>>;
}

export interface WatchTimes {
  /** Everything is listed again so often, because a watch may have missed something; a tenth more or less. */
  readonly relistMs: number;
  /** A watch that says nothing for so long is taken for dead. The API server sends a bookmark a minute. */
  readonly silenceMs: number;
  readonly firstBackoffMs: number;
  readonly mostBackoffMs: number;
}

export const watchTimes: WatchTimes = {
  relistMs: 600_000,
  silenceMs: 90_000,
  firstBackoffMs: 500,
  mostBackoffMs: 30_000,
};

export interface WatchParts<Item> {
  readonly source: WatchSource<Item>;
  readonly times?: Partial<WatchTimes>;
  readonly clock: Clock;
  readonly random: () => number;
  /** Each failure, for log and metrics; the cache goes on by itself. */
  readonly onFault: (fault: KubeError) => void;
}

/** Told of an object that was made or changed, or undefined when it is gone. */
export type ChangeListener<Item> = (key: string, object: Item | undefined) => void;

/** All objects of one kind as the API server had them a moment ago. Keys are `namespace/name`, or `name` where there are no namespaces. */
export interface Cache<Item> {
  get(key: string): Item | undefined;
  list(): readonly Item[];
  /** The result ends it. Objects that are there already are not told. */
  onChange(listener: ChangeListener<Item>): () => void;
  /** Resolves when everything has been listed once; not at all when the cache is stopped before. */
  readonly synced: Promise<void>;
  readonly isSynced: boolean;
  /** Since the API server was heard last; Infinity before the first time. */
  silentMs(): number;
  stop(): Promise<void>;
}

/**
 * Keeps a cache by list and watch.
 *
 * listing → watching. A watch that the server ends, or that is silent for too long, is begun again where it stopped; one that lies too far back, or
 * is older than `relistMs`, is followed by a new list; a failure by a pause that doubles, and by what failed.
 */
export function watchCache<Item extends KubeObject>(parts: WatchParts<Item>): Cache<Item> {
  const { source, clock, random, onFault } = parts;
  const times = { ...watchTimes, ...parts.times };
  const stopping = new AbortController();
  const listeners = new Set<ChangeListener<Item>>();
  const objects = new Map<string, Item>();
  const synced = Promise.withResolvers<void>();
  let isSynced = false;
  let heardAtMs = -Infinity;

  const put = (key: string, object: Item | undefined): void => {
    const before = objects.get(key);
    if (object === undefined) {
      if (before === undefined) return;
      objects.delete(key);
    } else {
      // A relist, or a watch that began anew, tells much that is known.
      if (before !== undefined && isSame(before, object)) return;
      objects.set(key, object);
    }
    for (const listener of listeners) listener(key, object);
  };

  const relist = async (): Promise<string> => {
    const { items, resourceVersion } = await source.list(stopping.signal);
    heardAtMs = clock.now();
    const keys = new Set(items.map((item) => keyOf(item)));
    for (const key of objects.keys()) if (!keys.has(key)) put(key, undefined);
    for (const item of items) put(keyOf(item), item);
    isSynced = true;
    synced.resolve();
    return resourceVersion;
  };

  /** One watch to its end; the version up to which everything is known. */
  const follow = async (from: string, untilMs: number, onHeard: () => void): Promise<string> => {
    using leash = new Leash(clock, stopping.signal, Math.max(0, untilMs - clock.now()));
    let version = from;
    leash.expectWithin(times.silenceMs);
    try {
      for await (const event of source.watch(from, leash.signal)) {
        heardAtMs = clock.now();
        leash.expectWithin(times.silenceMs);
        onHeard();
        if (event.type === 'bookmark') version = event.resourceVersion;
        else {
          const { object } = event;
          put(keyOf(object), event.type === 'deleted' ? undefined : object);
          version = object.metadata.resourceVersion ?? version;
        }
      }
    } catch (thrown) {
      // What was told before counts, unless it is too old.
      if (isExpired(thrown)) return '';
      if (!leash.signal.aborted) throw new Interrupted(version, asFault(thrown));
    }
    if (leash.wasSilent) onFault(new KubeError(0, '', 'a watch was silent and is begun anew'));
    return version;
  };

  const run = async (): Promise<void> => {
    let version = '';
    let relistAtMs = 0;
    let failures = 0;
    while (!stopping.signal.aborted) {
      const startedMs = clock.now();
      try {
        if (version === '' || startedMs >= relistAtMs) {
          version = await relist();
          relistAtMs = clock.now() + times.relistMs * (0.9 + 0.2 * random());
        }
        let heard = false;
        version = await follow(version, relistAtMs, () => {
          heard = true;
          failures = 0;
        });
        // A server that ends each watch at once, or says each time that the version is too old.
        if (!heard && clock.now() - startedMs < 1_000) failures += 1;
      } catch (thrown) {
        if (stopping.signal.aborted) return;
        if (thrown instanceof Interrupted) ({ version } = thrown);
        failures += 1;
        onFault(thrown instanceof Interrupted ? thrown.fault : asFault(thrown));
      }
      if (failures > 0) await clock.sleep(backoffMs(failures, times, random), stopping.signal);
    }
  };
  const running = run().catch(() => {
    // It was stopped while it slept.
  });

  return {
    get: (key) => objects.get(key),
    list: () => [...objects.values()],
    onChange: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    synced: synced.promise,
    get isSynced() {
      return isSynced;
    },
    silentMs: () => clock.now() - heardAtMs,
    stop: async () => {
      stopping.abort(new Error('the cache is stopped'));
      await running;
    },
  };
}

/** Where a watch was when it broke. */
class Interrupted extends Error {
  readonly version: string;
  readonly fault: KubeError;

  constructor(version: string, fault: KubeError) {
    super(fault.message);
    this.version = version;
    this.fault = fault;
  }
}

/** Ends a watch: when the cache stops, when it has gone on long enough, or when nothing is heard. */
class Leash implements Disposable {
  wasSilent = false;
  readonly #controller = new AbortController();
  readonly #clock: Clock;
  readonly #ends: (() => void)[];
  #silence: () => void = () => {};

  constructor(clock: Clock, stopping: AbortSignal, longestMs: number) {
    this.#clock = clock;
    const onStop = (): void => this.#controller.abort(stopping.reason);
    if (stopping.aborted) onStop();
    stopping.addEventListener('abort', onStop, { once: true });
    this.#ends = [
      () => stopping.removeEventListener('abort', onStop),
      clock.after(longestMs, () => this.#controller.abort(new Error('time to list again'))),
    ];
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  expectWithin(ms: number): void {
    this.#silence();
    this.#silence = this.#clock.after(ms, () => {
      this.wasSilent = !this.signal.aborted;
      this.#controller.abort(new Error('a watch was silent'));
    });
  }

  [Symbol.dispose](): void {
    this.#silence();
    for (const end of this.#ends) end();
  }
}

const isSame = (a: KubeObject, b: KubeObject): boolean =>
  a.metadata.uid === b.metadata.uid &&
  a.metadata.resourceVersion !== undefined &&
  a.metadata.resourceVersion === b.metadata.resourceVersion;

const asFault = (thrown: unknown): KubeError =>
  thrown instanceof KubeError ? thrown : new KubeError(0, '', String(thrown), { cause: thrown });

/** Doubles with each failure; half of it is chance, so that many clients do not come back together. */
const backoffMs = (failures: number, times: WatchTimes, random: () => number): number => {
  const full = Math.min(times.mostBackoffMs, times.firstBackoffMs * 2 ** (failures - 1));
  return full * (0.5 + 0.5 * random());
};

/** Something that is kept, in the list of its bucket. */
class Entry<Key, Value> {
  readonly key: Key;
  readonly hash: number;
  value: Value;
  next: Entry<Key, Value> | undefined;

  constructor(key: Key, hash: number, value: Value, next: Entry<Key, Value> | undefined) {
    this.key = key;
    this.hash = hash;
    this.value = value;
    this.next = next;
  }
}

const fewestBuckets = 64;
/** Characters of a key that count; keys are to differ in them. */
const hashedLength = 24;

/**
 * A map for what comes and goes all the time, such as calls in flight. A `Map` makes itself a new table every so many deletions, and its old ones lead to
 * the newer: once one of them is in the old generation, each after it is kept with all that was in it, until everything is collected. Here what is
 * deleted leads nowhere.
 */
export class TurnoverMap<Key extends string | number, Value> {
  #buckets: (Entry<Key, Value> | undefined)[] = emptyBuckets(fewestBuckets);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(key: Key): Value | undefined {
    return this.#find(key)?.value;
  }

  has(key: Key): boolean {
    return this.#find(key) !== undefined;
  }

  set(key: Key, value: Value): void {
    const found = this.#find(key);
    if (found !== undefined) {
      found.value = value;
      return;
    }
    if (this.#size >= this.#buckets.length) this.#resize(2 * this.#buckets.length);
    const hash = hashOf(key);
    const bucket = hash & (this.#buckets.length - 1);
    this.#buckets[bucket] = new Entry(key, hash, value, this.#buckets[bucket]);
    this.#size += 1;
  }

  /** Whether it was there. */
  delete(key: Key): boolean {
    const bucket = hashOf(key) & (this.#buckets.length - 1);
    let before: Entry<Key, Value> | undefined;
    let entry = this.#buckets[bucket];
    while (entry !== undefined && entry.key !== key) {
      before = entry;
      entry = entry.next;
    }
    if (entry === undefined) return false;
    if (before === undefined) this.#buckets[bucket] = entry.next;
    else before.next = entry.next;
    entry.next = undefined;
    this.#size -= 1;
    // A crowd that has left leaves no empty buckets to be looked through.
    if (this.#buckets.length > fewestBuckets && this.#size < this.#buckets.length / 16) {
      this.#resize(this.#buckets.length / 4);
    }
    return true;
  }

  /** Those that are there now, in no order; what changes meanwhile does not change the list. */
  values(): readonly Value[] {
    const values: Value[] = [];
    for (let entry of this.#buckets) {
      for (; entry !== undefined; entry = entry.next) values.push(entry.value);
    }
    return values;
  }

  #find(key: Key): Entry<Key, Value> | undefined {
    let entry = this.#buckets[hashOf(key) & (this.#buckets.length - 1)];
    while (entry !== undefined && entry.key !== key) entry = entry.next;
    return entry;
  }

  #resize(length: number): void {
    const buckets: (Entry<Key, Value> | undefined)[] = emptyBuckets(
      Math.max(fewestBuckets, length),
    );
    for (let entry of this.#buckets) {
      while (entry !== undefined) {
        const { next } = entry;
        const bucket = entry.hash & (buckets.length - 1);
        entry.next = buckets[bucket];
        buckets[bucket] = entry;
        entry = next;
      }
    }
    this.#buckets = buckets;
  }
}

/** Filled, for an array with holes is slower. */
const emptyBuckets = (length: number): undefined[] => Array.from({ length });

/** Numbers are mostly counted up, and so spread by themselves. Of strings the beginning counts, for ids are random from there on (FNV-1a). */
function hashOf(key: string | number): number {
  if (typeof key === 'number') return (key ^ (key >>> 16)) >>> 0;
  const length = Math.min(key.length, hashedLength);
  let hash = 0x811c9dc5 ^ key.length;
  for (let at = 0; at < length; at += 1) {
    hash = Math.imul(hash ^ key.charCodeAt(at), 0x01000193);
  }
  return (hash ^ (hash >>> 15)) >>> 0;
}

import type { Labels } from './stored-object.ts';

/** Whether labels are selected: they have to have all that the selector has. */
export const selects = (selector: Labels, labels: Labels): boolean =>
  Object.entries(selector).every(([key, value]) => labels[key] === value);

/** The labels of a pod that both selectors select, or undefined when there can be none. */
export function commonLabels(one: Labels, other: Labels): Labels | undefined {
  const clash = Object.entries(one).some(([key, value]) => (other[key] ?? value) !== value);
  return clash ? undefined : { ...one, ...other };
}

interface Selecting {
  readonly selector: Labels;
}

/** Finds what selects a pod without asking all: each item stands under the label that it shares with the fewest. */
export class SelectorIndex<Item extends Selecting> {
  readonly #everywhere: Item[] = [];
  readonly #byLabel = new Map<string, Item[]>();

  constructor(items: readonly Item[]) {
    const shared = new Map<string, number>();
    for (const { selector } of items) {
      for (const label of Object.entries(selector)) {
        const text = label.join('=');
        shared.set(text, (shared.get(text) ?? 0) + 1);
      }
    }
    for (const item of items) {
      const labels = Object.entries(item.selector).map((label) => label.join('='));
      const [rarest] = labels.toSorted((a, b) => (shared.get(a) ?? 0) - (shared.get(b) ?? 0));
      if (rarest === undefined) this.#everywhere.push(item);
      else entryOf(this.#byLabel, rarest, () => []).push(item);
    }
  }

  /** In no particular order. */
  matching(labels: Labels): Item[] {
    const found = [...this.#everywhere];
    for (const label of Object.entries(labels)) {
      for (const item of this.#byLabel.get(label.join('=')) ?? []) {
        if (selects(item.selector, labels)) found.push(item);
      }
    }
    return found;
  }
}

/** Finds those that may select a pod together with another, likewise. Items are added one by one. */
export class CompatibleIndex<Item extends Selecting> {
  readonly #all: Item[] = [];
  /** By the key of a label, then by its value. */
  readonly #byKey = new Map<string, Map<string, Item[]>>();
  /** Those that have no label of that key. */
  readonly #without = new Map<string, Item[]>();

  add(item: Item): void {
    for (const key of Object.keys(item.selector)) {
      if (!this.#byKey.has(key)) {
        this.#byKey.set(key, new Map());
        this.#without.set(key, [...this.#all]);
      }
    }
    for (const [key, values] of this.#byKey) {
      const value = item.selector[key];
      const list =
        value === undefined
          ? entryOf(this.#without, key, () => [])
          : entryOf(values, value, () => []);
      list.push(item);
    }
    this.#all.push(item);
  }

  /** In an order that only depends on the order in which they were added. */
  *compatible(selector: Labels): Iterable<Item> {
    let candidates: readonly (readonly Item[])[] = [this.#all];
    let fewest = this.#all.length;
    for (const [key, value] of Object.entries(selector)) {
      const values = this.#byKey.get(key);
      if (values === undefined) continue;
      const lists = [values.get(value) ?? [], this.#without.get(key) ?? []];
      const length = lists.reduce((sum, list) => sum + list.length, 0);
      if (length >= fewest) continue;
      candidates = lists;
      fewest = length;
    }
    for (const list of candidates) {
      for (const item of list) if (commonLabels(item.selector, selector) !== undefined) yield item;
    }
  }
}

function entryOf<Key, Value>(map: Map<Key, Value>, key: Key, make: () => Value): Value {
  let value = map.get(key);
  if (value === undefined) {
    value = make();
    map.set(key, value);
  }
  return value;
}

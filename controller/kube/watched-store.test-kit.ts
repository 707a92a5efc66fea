import { KubeError } from './kube-error.ts';
import type { KubeObject } from './resource.ts';
import type { WatchEvent, WatchSource } from './watch.ts';

export interface Thing extends KubeObject {
  readonly value: number;
}

/** What a server keeps, and all that it ever said of it, so that watches begin anywhere. */
export class Store implements WatchSource<Thing> {
  lists = 0;
  watches: string[] = [];
  /** Of the next lists and watches, in order. */
  readonly faults: KubeError[] = [];
  silent = false;
  /** Watches of versions before are too far back. */
  compacted = 0;
  #version = 0;
  readonly #objects = new Map<string, Thing>();
  readonly #history: { readonly version: number; readonly event: WatchEvent<Thing> }[] = [];
  #wake = Promise.withResolvers<void>();
  #cut = new AbortController();

  get objects(): ReadonlyMap<string, Thing> {
    return this.#objects;
  }

  put(name: string, value: number): void {
    const object = this.#object(name, value);
    this.#objects.set(`ns/${name}`, object);
    this.#say({ type: 'changed', object });
  }

  remove(name: string): void {
    if (!this.#objects.delete(`ns/${name}`)) return;
    this.#say({ type: 'deleted', object: this.#object(name, 0) });
  }

  bookmark(): void {
    this.#version += 1;
    this.#say({ type: 'bookmark', resourceVersion: String(this.#version) });
  }

  /** Ends all watches, in order or with a fault. */
  cut(fault?: KubeError): void {
    this.#cut.abort(fault);
    this.#cut = new AbortController();
    this.#rouse();
  }

  compact(): void {
    this.compacted = this.#version;
  }

  list(): Promise<{ items: Thing[]; resourceVersion: string }> {
    this.lists += 1;
    const fault = this.faults.shift();
    if (fault !== undefined) return Promise.reject(fault);
    return Promise.resolve({
      items: [...this.#objects.values()],
      resourceVersion: String(this.#version),
    });
  }

  async *watch(from: string, signal: AbortSignal): AsyncGenerator<WatchEvent<Thing>, void> {
    this.watches.push(from);
    const fault = this.faults.shift();
    if (fault !== undefined) throw fault;
    if (Number(from) < this.compacted) throw new KubeError(410, 'Expired', 'too old');
    const cut = this.#cut.signal;
    const aborted = new Promise<void>((resolve) =>
      signal.addEventListener('abort', () => resolve()),
    );
    let at = Number(from);
    while (!signal.aborted && !cut.aborted) {
      const next = this.silent ? undefined : this.#history.find(({ version }) => version > at);
      if (next === undefined) {
        await Promise.race([this.#wake.promise, aborted]);
        continue;
      }
      at = next.version;
      yield next.event;
    }
    if (cut.aborted && cut.reason instanceof KubeError) throw cut.reason;
    if (signal.aborted) throw signal.reason as Error;
  }

  #object(name: string, value: number): Thing {
    this.#version += 1;
    const resourceVersion = String(this.#version);
    return { metadata: { name, namespace: 'ns', uid: name, resourceVersion }, value };
  }

  #say(event: WatchEvent<Thing>): void {
    this.#history.push({ version: this.#version, event });
    this.#rouse();
  }

  #rouse(): void {
    this.#wake.resolve();
    this.#wake = Promise.withResolvers();
  }
}

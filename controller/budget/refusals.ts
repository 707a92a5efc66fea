interface Told {
  readonly boot: number;
  readonly refusals: number;
}

/** How often the server refused sessions (53300), as the sidecars tell it: each counts from its boot. */
export class Refusals {
  readonly #told = new Map<string, Told>();
  /** Since these books are kept. */
  total = 0;

  /** How many are new in a heartbeat. What was there before the first one is not ours. */
  count({ pod, boot }: { readonly pod: string; readonly boot: number }, refusals: number): number {
    const known = this.#told.get(pod);
    if (!Number.isSafeInteger(refusals) || boot < (known?.boot ?? 0)) return 0;
    const before = known?.boot === boot ? known.refusals : 0;
    const added = known === undefined ? 0 : Math.max(0, refusals - before);
    this.#told.set(pod, { boot, refusals: known?.boot === boot ? before + added : refusals });
    this.total += added;
    return added;
  }

  /** Forgets all others. */
  keep(pods: ReadonlySet<string>): void {
    for (const pod of this.#told.keys()) if (!pods.has(pod)) this.#told.delete(pod);
  }
}

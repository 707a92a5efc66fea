import type { SessionAsker } from '../postgres/server-sessions.ts';
import type { SessionHolder } from '../postgres/session-budget.ts';

/** Pools and others that share what a sidecar may have of one budget: who gets room next, and who gives it. */
export class BudgetHolders {
  readonly #askers = new Map<SessionHolder, SessionAsker | undefined>();
  /** Were refused since they were last told of room, in order. */
  readonly #wanting = new Set<SessionHolder>();
  /** The next session that these have free is somebody else's: whose. */
  readonly #owing = new Map<SessionHolder, SessionHolder>();
  /** For whom room is being made. */
  readonly #creditors = new Set<SessionHolder>();

  add(holder: SessionHolder, asker: SessionAsker | undefined): void {
    this.#askers.set(holder, asker);
  }

  delete(holder: SessionHolder): void {
    this.#askers.delete(holder);
    this.#wanting.delete(holder);
    this.#owing.delete(holder);
    this.#creditors.delete(holder);
  }

  get demand(): number {
    const wanting = this.#all.filter(({ demand }) => demand > 0);
    const least = wanting.map(({ leastShare }) => leastShare);
    return Math.max(
      0,
      ...least,
      sum(wanting, ({ demand }) => demand),
    );
  }

  get waiting(): number {
    return sum(this.#all, ({ waiting }) => waiting);
  }

  get waitedMs(): number {
    return Math.max(0, ...this.#all.map(({ waitedMs }) => waitedMs));
  }

  /** Ways to ask the server, those first that need no further session for it. */
  get askers(): readonly SessionAsker[] {
    return [...this.#askers]
      .toSorted(([one], [other]) => other.sessions - one.sessions)
      .flatMap(([, asker]) => asker ?? []);
  }

  wants(holder: SessionHolder): void {
    this.#wanting.add(holder);
  }

  /** Whether so much room is for others than `holder`. */
  isForOthers(room: number, holder: SessionHolder): boolean {
    return !this.#creditors.has(holder) && room <= this.#creditors.size;
  }

  /** It got a leave. */
  served(holder: SessionHolder): void {
    this.#creditors.delete(holder);
  }

  owes(holder: SessionHolder): boolean {
    return this.#owing.has(holder);
  }

  /** It has ended a session. */
  paid(holder: SessionHolder): void {
    const creditor = this.#owing.get(holder);
    if (creditor !== undefined) this.#creditors.add(creditor);
    this.#owing.delete(holder);
  }

  /** For whom room was made asks first, then who was refused first. */
  tellRoom(): void {
    const wanting = new Set([...this.#creditors, ...this.#wanting]);
    this.#wanting.clear();
    for (const holder of wanting) holder.room();
  }

  /** Ends what another one has and does not use, if callers wait for it. */
  makeRoomFor(holder: SessionHolder): void {
    if (holder.waiting === 0 || this.#creditors.has(holder)) return;
    const gave = this.#all.some((other) => other !== holder && other.closeIdle(1) > 0);
    if (gave) this.#creditors.add(holder);
  }

  /** Now and then: whoever has nothing and is waited for gets the next session that who has most gives back. */
  settle(share: number): void {
    this.#owing.clear();
    this.#creditors.clear();
    const starving = this.#all.filter(
      ({ sessions, waiting, leastShare }) => sessions === 0 && waiting > 0 && leastShare <= share,
    );
    const richest = this.#all
      .filter(({ sessions }) => sessions > 0)
      .toSorted((one, other) => other.sessions - one.sessions);
    for (const [nth, creditor] of starving.entries()) {
      const debtor = richest[nth];
      if (debtor !== undefined) this.#owing.set(debtor, creditor);
    }
  }

  closeIdle(count: number): void {
    let left = count;
    for (const holder of this.#all) if (left > 0) left -= holder.closeIdle(left);
  }

  /** Cuts sessions in use, those first with which the least is lost; the result says how many. */
  cut(count: number): number {
    const least = this.#all
      .flatMap(({ busy }) => busy)
      .toSorted((one, other) => one.loss - other.loss)
      .slice(0, count);
    for (const each of least) each.cut();
    return least.length;
  }

  get #all(): readonly SessionHolder[] {
    return [...this.#askers.keys()];
  }
}

const sum = (holders: readonly SessionHolder[], value: (holder: SessionHolder) => number): number =>
  holders.reduce((total, holder) => total + value(holder), 0);

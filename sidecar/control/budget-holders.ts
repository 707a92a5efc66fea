import type { SessionAsker } from '../postgres/server-sessions.ts';
import type { SessionHolder } from '../postgres/session-budget.ts';

const betweenRoomsMs = 50;

/** Pools and others that share what a sidecar may have of one budget: who gets room next, and who gives it. */
export class BudgetHolders {
  readonly #askers = new Map<SessionHolder, SessionAsker | undefined>();
  /** Were refused since they were last told of room, in order. */
  readonly #wanting = new Set<SessionHolder>();
  /** The next session that these have free is somebody else's. */
  readonly #owing = new Set<SessionHolder>();
  #madeRoomAtMs = -Infinity;

  add(holder: SessionHolder, asker: SessionAsker | undefined): void {
    this.#askers.set(holder, asker);
  }

  delete(holder: SessionHolder): void {
    this.#askers.delete(holder);
    this.#wanting.delete(holder);
    this.#owing.delete(holder);
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

  owes(holder: SessionHolder): boolean {
    return this.#owing.has(holder);
  }

  /** It has ended a session. */
  paid(holder: SessionHolder): void {
    this.#owing.delete(holder);
  }

  /** Who was refused first asks first. */
  tellRoom(): void {
    const wanting = [...this.#wanting];
    this.#wanting.clear();
    for (const holder of wanting) holder.room();
  }

  /** Ends what another one has and does not use, if callers wait for it. */
  makeRoomFor(holder: SessionHolder, nowMs: number): void {
    if (holder.waiting === 0 || nowMs < this.#madeRoomAtMs + betweenRoomsMs) return;
    const gave = this.#all.some((other) => other !== holder && other.closeIdle(1) > 0);
    if (gave) this.#madeRoomAtMs = nowMs;
  }

  /** Now and then: whoever has nothing and is waited for gets the next session that who has most gives back. */
  settle(): void {
    this.#owing.clear();
    const starving = this.#all.filter(({ sessions, waiting }) => sessions === 0 && waiting > 0);
    const richest = this.#all
      .filter(({ sessions }) => sessions > 0)
      .toSorted((one, other) => other.sessions - one.sessions);
    for (const holder of richest.slice(0, starving.length)) this.#owing.add(holder);
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

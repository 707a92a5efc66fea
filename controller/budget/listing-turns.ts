import type { Heartbeat } from './share-messages.ts';

export interface ListingTimes {
  /** How long a connect may be under way at most: the server's authentication_timeout. */
  readonly lateConnectMs: number;
  readonly listEveryMs: number;
  /** After sessions were to be terminated: to see that they are gone. */
  readonly listAgainMs: number;
}

interface Asked {
  readonly pod: string;
  readonly number: number;
  readonly atMs: number;
}

/** Which sidecar lists the server's sessions, and when: one at a time, a connected one, and soon when the books need it. */
export class ListingTurns {
  readonly #times: ListingTimes;
  /** A listing from before that tells nothing of a former leader's grants. */
  readonly #notBeforeMs: number;
  #asked: Asked | undefined;
  #listedAtMs = -Infinity;
  #urgent = false;
  #againAtMs = Infinity;
  #terminated = 0;
  /** Since when a listing is needed and nobody could make one; Infinity = not so. */
  #blindSinceMs = Infinity;
  #scoutPod = '';
  #scoutUntilMs = -Infinity;

  constructor(times: ListingTimes, notBeforeMs: number) {
    this.#times = times;
    this.#notBeforeMs = notBeforeMs;
  }

  /** There was one. */
  get listed(): boolean {
    return this.#listedAtMs > -Infinity;
  }

  /** `urgent`: the books wait for one. `connected`: somebody has a session to list with. */
  look(urgent: boolean, connected: boolean, nowMs: number): void {
    this.#urgent = urgent;
    this.#blindSinceMs = urgent && !connected ? Math.min(this.#blindSinceMs, nowMs) : Infinity;
  }

  /** Whether the answer to this heartbeat asks for a listing. */
  asks({ pod, number, ports }: Heartbeat, leaseMs: number, nowMs: number): boolean {
    if (ports.length === 0 || nowMs < this.#notBeforeMs) return false;
    if (this.#asked !== undefined && nowMs < this.#asked.atMs + leaseMs / 2) return false;
    const nextMs = Math.min(this.#listedAtMs + this.#times.listEveryMs, this.#againAtMs);
    if (!this.#urgent && nowMs < nextMs) return false;
    this.#asked = { pod, number, atMs: nowMs };
    return true;
  }

  /** When the listing that comes with a heartbeat was asked for; undefined = none that was. */
  takes({ pod, listing }: Heartbeat, nowMs: number): number | undefined {
    const asked = this.#asked;
    if (asked === undefined || asked.pod !== pod || asked.number !== listing?.asked) {
      return undefined;
    }
    this.#asked = undefined;
    this.#listedAtMs = nowMs;
    this.#againAtMs = Infinity;
    // Until the next look.
    this.#urgent = false;
    return asked.atMs;
  }

  /** So many sessions are to be terminated. As many as the last time may be those that cannot be. */
  terminates(count: number, nowMs: number): void {
    if (count > 0 && count !== this.#terminated) this.#againAtMs = nowMs + this.#times.listAgainMs;
    this.#terminated = count;
  }

  /** With nobody connected nobody can list: after so long that what runs unheard has killed its own, one may have one session for it. */
  scouts(pod: string, leaseMs: number, nowMs: number): boolean {
    if (nowMs < this.#blindSinceMs + leaseMs + this.#times.lateConnectMs) return false;
    if (nowMs >= this.#scoutUntilMs) {
      this.#scoutPod = pod;
      this.#scoutUntilMs = nowMs + leaseMs;
    }
    return this.#scoutPod === pod;
  }
}

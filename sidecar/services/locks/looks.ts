import type { Clock } from '../../../platform/clock.ts';

interface Look {
  readonly atMs: number;
  readonly stop: () => void;
  /** Somebody was woken through this sidecar: it looks whether they came, even if nobody waits here. */
  owed: boolean;
}

interface LooksParts {
  readonly clock: Clock;
  /** 0 to 1, so that not all sidecars look at the same time. */
  readonly random: () => number;
  readonly look: (name: string, owed: boolean) => void;
}

const jitterMs = 5;

/** When to look at locks again because time alone may have changed something: one timer for each lock, the earliest that anyone asked for. */
export class Looks {
  readonly #parts: LooksParts;
  readonly #looks = new Map<string, Look>();

  constructor(parts: LooksParts) {
    this.#parts = parts;
  }

  /** After `inMs` and a little; 0 is not at all. */
  at(name: string, inMs: number, owed: boolean): void {
    if (inMs <= 0) return;
    const { clock, random, look } = this.#parts;
    const atMs = clock.now() + inMs + random() * jitterMs;
    const known = this.#looks.get(name);
    if (known !== undefined && known.atMs <= atMs) {
      known.owed ||= owed;
      return;
    }
    known?.stop();
    const next: Look = {
      atMs,
      owed: owed || known?.owed === true,
      stop: clock.after(atMs - clock.now(), () => {
        this.#looks.delete(name);
        look(name, next.owed);
      }),
    };
    this.#looks.set(name, next);
  }

  close(): void {
    for (const { stop } of this.#looks.values()) stop();
    this.#looks.clear();
  }
}

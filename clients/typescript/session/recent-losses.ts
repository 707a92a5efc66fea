import type { Loss } from '../wire/lock-messages.ts';

const most = 1_000;

/** The last losses that nobody has asked for: permits, which nobody watches, come here too when their session ends. */
export class RecentLosses {
  readonly #losses = new Map<string, Loss>();

  get(id: string): Loss | undefined {
    return this.#losses.get(id);
  }

  set(id: string, loss: Loss): void {
    this.#losses.set(id, loss);
    const [oldest] = this.#losses.keys();
    if (this.#losses.size > most && oldest !== undefined) this.#losses.delete(oldest);
  }

  delete(id: string): void {
    this.#losses.delete(id);
  }
}

/** Clients who all want the same lock, and how long it takes from one to the next. */
export class Handovers<Client> {
  readonly #clients: Client[];
  #releasedAt = performance.now();

  constructor(clients: readonly Client[]) {
    this.#clients = [...clients];
  }

  /** One client takes the lock, says so, and releases it at once. Resolves with the ms from the last release until it had it. */
  async next(take: (client: Client, granted: () => void) => Promise<void>): Promise<number> {
    const client = this.#clients.pop();
    if (client === undefined) throw new Error('more in flight than clients');
    let tookMs = NaN;
    await take(client, () => {
      const now = performance.now();
      tookMs = now - this.#releasedAt;
      this.#releasedAt = now;
    });
    this.#clients.push(client);
    return tookMs;
  }
}

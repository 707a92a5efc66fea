import type { SecretStore, StoredSecret } from './keeper.ts';

/** A Secret as the API server keeps it: whoever writes by an old version is refused. */
export class MemorySecret implements SecretStore {
  stored: StoredSecret | undefined;
  writes = 0;
  failing = false;

  async read(): Promise<StoredSecret | undefined> {
    await this.#travel();
    return this.stored;
  }

  async write(data: StoredSecret['data'], version: string | undefined): Promise<boolean> {
    await this.#travel();
    if (version !== this.stored?.version) return false;
    this.writes += 1;
    this.stored = { data, version: String(this.writes) };
    return true;
  }

  async #travel(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    if (this.failing) throw new Error('the API server is away');
  }
}

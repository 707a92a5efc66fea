import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { open, rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from '../../platform/logger.ts';

/** What is kept: the last good policies, the authorities of the controller, and the floors of connection budgets. */
export type StateName = 'policy' | 'trust' | 'floors';

/** Files that outlive a restart of the sidecar. What cannot be read or written is logged; the sidecar goes on without it. */
export class StateFolder {
  readonly #path: string;
  readonly #log: Logger;
  readonly #wanted = new Map<StateName, string>();
  #writing: Promise<void> = Promise.resolve();
  #isWriting = false;

  constructor(path: string, log: Logger) {
    this.#path = path;
    this.#log = log;
  }

  /** A number that is higher than that of every start before, by the clock where the folder forgot them. */
  nextBoot(wallMs: number): number {
    const path = join(this.#path, 'boot');
    let boot = Math.floor(wallMs);
    try {
      boot = Math.max(boot, lastBoot(path) + 1);
      mkdirSync(this.#path, { recursive: true });
      writeFileSync(`${path}.new`, `${boot}\n`, { mode: 0o600, flush: true });
      renameSync(`${path}.new`, path);
    } catch (err) {
      this.#log.error({ err, path }, 'the number of this start cannot be kept');
    }
    return boot;
  }

  /** What was kept last; undefined when there is none, or it is damaged. */
  read(name: StateName): string | undefined {
    const path = join(this.#path, name);
    try {
      const text = readFileSync(path, 'utf8');
      const lineEnd = text.indexOf('\n');
      const kept = text.slice(lineEnd + 1);
      if (text.slice(0, lineEnd) === checksum(kept)) return kept;
      this.#log.error({ path }, 'what was kept here is damaged: it is not used');
    } catch (err) {
      if ((err as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      this.#log.error({ err, path }, 'what was kept here cannot be read: it is not used');
    }
    return undefined;
  }

  /** Keeps a text in the place of the last one: whole, or not at all. */
  keep(name: StateName, text: string): void {
    this.#wanted.set(name, text);
    if (this.#isWriting) return;
    this.#isWriting = true;
    this.#writing = this.#writeAll().finally(() => (this.#isWriting = false));
  }

  /** Resolves when nothing is being written. */
  async settled(): Promise<void> {
    await this.#writing;
  }

  async #writeAll(): Promise<void> {
    for (const [name, text] of this.#wanted) {
      this.#wanted.delete(name);
      const path = join(this.#path, name);
      try {
        await replace(path, `${checksum(text)}\n${text}`);
      } catch (err) {
        this.#log.error({ err, path }, 'it cannot be kept: the next start will not know it');
      }
    }
  }
}

function lastBoot(path: string): number {
  try {
    const boot = Number(readFileSync(path, 'utf8'));
    return Number.isSafeInteger(boot) ? boot : 0;
  } catch {
    return 0; // The first start; or a damaged file, and the clock has to do.
  }
}

async function replace(path: string, text: string): Promise<void> {
  const file = await open(`${path}.new`, 'w', 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(`${path}.new`, path);
}

const checksum = (text: string): string => createHash('sha256').update(text).digest('hex');

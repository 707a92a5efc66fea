import type { Clock } from '../../platform/clock.ts';
import type { Settings } from '../config.ts';

interface WatchParts {
  readonly clock: Clock;
  /** Reads the settings as they are now; throws what is wrong with them. */
  readonly read: () => Settings;
  readonly onRead: (settings: Settings) => void;
  /** They cannot be read, or not be used; told once until that changes. */
  readonly onFault: (message: string) => void;
}

const everyMs = 1_000;

/** Reads the settings every second: a mounted secret is replaced without a word. */
export class SettingsWatch {
  readonly #parts: WatchParts;
  #stop: () => void = () => {};
  #fault = '';

  constructor(parts: WatchParts) {
    this.#parts = parts;
    this.#next();
  }

  stop(): void {
    this.#stop();
  }

  #next(): void {
    this.#stop = this.#parts.clock.after(everyMs, () => {
      this.#read();
      this.#next();
    });
  }

  #read(): void {
    let fault = '';
    try {
      this.#parts.onRead(this.#parts.read());
    } catch (thrown) {
      fault = thrown instanceof Error ? thrown.message : String(thrown);
    }
    if (fault !== '' && fault !== this.#fault) this.#parts.onFault(fault);
    this.#fault = fault;
  }
}

import type { Clock } from '../../platform/clock.ts';
import type { Settings } from '../config.ts';

interface WatchParts {
  readonly clock: Clock;
  /** Tells whether the policy file is another one than before: its inode, size and time of change. */
  readonly signature: () => string;
  /** Reads the settings as they are now; throws what is wrong with them. */
  readonly read: () => Settings;
  readonly onRead: (settings: Settings) => void;
  /** They cannot be read, or not be used; told once until that changes. */
  readonly onFault: (fault: Error) => void;
}

/** A new policy file is seen within one look, and read at the next if it has not changed since: it may have been half written. */
const lookMs = 60;
/** Of everything else, such as a mounted secret that is replaced without a word. */
const rereadMs = 1_000;

/** Reads the settings again: soon after the policy file has changed, and every second. */
export class SettingsWatch {
  readonly #parts: WatchParts;
  #stop: () => void = () => {};
  #signature: string;
  #changed = false;
  #readAtMs: number;
  #fault = '';

  constructor(parts: WatchParts) {
    this.#parts = parts;
    this.#signature = parts.signature();
    this.#readAtMs = parts.clock.now();
    this.#next();
  }

  stop(): void {
    this.#stop();
  }

  #next(): void {
    this.#stop = this.#parts.clock.after(lookMs, () => {
      this.#look();
      this.#next();
    });
  }

  #look(): void {
    const { clock, signature } = this.#parts;
    const seen = signature();
    if (seen !== this.#signature) {
      this.#signature = seen;
      this.#changed = true;
      return;
    }
    if (!this.#changed && clock.now() - this.#readAtMs < rereadMs) return;
    this.#changed = false;
    this.#readAtMs = clock.now();
    this.#read();
  }

  #read(): void {
    const { read, onRead, onFault } = this.#parts;
    try {
      onRead(read());
      this.#fault = '';
    } catch (thrown) {
      const fault = thrown instanceof Error ? thrown : new Error(String(thrown));
      if (fault.message !== this.#fault) onFault(fault);
      this.#fault = fault.message;
    }
  }
}

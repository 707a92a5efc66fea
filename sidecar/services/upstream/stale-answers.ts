import type { Clock } from '../../../platform/clock.ts';
import type { StoredAnswer } from './answer.ts';
import type { CheckedRequest } from './checks.ts';

export interface StaleLimits {
  readonly maxAgeMs: number;
  readonly maxEntries: number;
  readonly maxBytes: number;
}

interface Entry {
  readonly answer: StoredAnswer;
  readonly bytes: number;
  readonly atMs: number;
}

/** What an entry takes besides its text. */
const entryBytes = 200;

/** Earlier answers, the last used ones, bounded by number and by bytes; for when there is none. Shared by all calls. */
export class StaleAnswers {
  readonly #clock: Clock;
  /** The one that was used longest ago comes first. */
  readonly #entries = new Map<string, Entry>();
  #limits: StaleLimits;
  #bytes = 0;

  constructor(limits: StaleLimits, clock: Clock) {
    this.#limits = limits;
    this.#clock = clock;
  }

  get size(): number {
    return this.#entries.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  configure(limits: StaleLimits): void {
    this.#limits = limits;
    this.#trim();
  }

  /** Keeps what a request was answered with, if it succeeded and asks for something that may be kept. */
  keep(request: CheckedRequest, { status, headers, body }: StoredAnswer): void {
    const key = keyOf(request);
    if (key === undefined || status < 200 || status > 299) return;
    this.#drop(key);
    const text = headers.reduce((sum, { name, value }) => sum + name.length + value.length, 0);
    const bytes = entryBytes + key.length + text + body.length;
    if (bytes > this.#limits.maxBytes) return;
    // A copy: what came in larger pieces would keep all of them.
    const answer = { status, headers, body: Buffer.from(body) };
    this.#entries.set(key, { answer, bytes, atMs: this.#clock.now() });
    this.#bytes += bytes;
    this.#trim();
  }

  /** The last answer to the same request, unless it is too old. */
  find(request: CheckedRequest): StoredAnswer | undefined {
    const key = keyOf(request);
    const entry = key === undefined ? undefined : this.#entries.get(key);
    if (key === undefined || entry === undefined) return undefined;
    this.#entries.delete(key);
    if (this.#clock.now() - entry.atMs > this.#limits.maxAgeMs) {
      this.#bytes -= entry.bytes;
      return undefined;
    }
    this.#entries.set(key, entry);
    return entry.answer;
  }

  #drop(key: string): void {
    this.#bytes -= this.#entries.get(key)?.bytes ?? 0;
    this.#entries.delete(key);
  }

  #trim(): void {
    const { maxEntries, maxBytes } = this.#limits;
    for (const key of this.#entries.keys()) {
      if (this.#entries.size <= maxEntries && this.#bytes <= maxBytes) return;
      this.#drop(key);
    }
  }
}

/** Undefined for requests whose answers are not kept. */
function keyOf({ method, path, headers, body }: CheckedRequest): string | undefined {
  if ((method !== 'GET' && method !== 'HEAD') || body.length > 0) return undefined;
  // Names and values hold no line breaks. The order of different headers says nothing, that of equal ones may.
  const lines = headers.map(({ name, value }) => `${name}:${value}`);
  const sorted = lines.toSorted((a, b) =>
    nameOf(a) < nameOf(b) ? -1 : Number(nameOf(a) > nameOf(b)),
  );
  return [`${method} ${path}`, ...sorted].join('\n');
}

const nameOf = (line: string): string => line.slice(0, line.indexOf(':'));

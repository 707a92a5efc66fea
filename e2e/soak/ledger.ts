/** What a caller was told of its work. */
export type Told = 'done' | 'nothing' | 'unknown';

/** Reasons that leave open whether the work took effect; all others promise that it did not. */
const openReasons: ReadonlySet<string> = new Set([
  'COMMIT_UNKNOWN',
  'REPLY_LOST',
  'COMMAND_TIMEOUT',
  'SIDECAR_LOST',
  'DEADLINE_EXCEEDED',
]);

export const toldBy = (reason: string): Told => (openReasons.has(reason) ? 'unknown' : 'nothing');

interface Entry {
  readonly store: 'postgres' | 'redis';
  readonly told: Told;
  readonly what: string;
  /** Its outcome can be asked for. */
  readonly hasCommitId: boolean;
}

/** Everything that a soak was told, to be held against what is there in the end. */
export class Ledger {
  readonly entries = new Map<string, Entry>();
  readonly calls = new Map<string, number>();
  readonly refusals = new Map<string, number>();
  /** Broken promises that showed at once. */
  readonly broken: string[] = [];
  slowestMs = 0;

  wrote(id: string, entry: Entry): void {
    this.entries.set(id, entry);
  }

  called(what: string, tookMs: number): void {
    this.calls.set(what, (this.calls.get(what) ?? 0) + 1);
    this.slowestMs = Math.max(this.slowestMs, tookMs);
  }

  refused(reason: string): void {
    this.refusals.set(reason, (this.refusals.get(reason) ?? 0) + 1);
  }
}

import type { LockMode } from '../../clients/typescript/wire/lock-messages.ts';

/** What one client, or whoever breaks things, has seen; times are those of `machineNowMs`. */
export type LockEvent =
  | {
      /** Before the request is sent. */
      readonly what: 'asked';
      readonly atMs: number;
      /** Of this request, in the whole history. */
      readonly id: string;
      /** Names of the two processes between which the lock is held. */
      readonly client: string;
      readonly sidecar: string;
      /** In byte order. */
      readonly names: readonly string[];
      readonly mode: LockMode;
      readonly permits: number;
      readonly ttlMs: number;
      readonly owner: string;
      /** The pool that the tokens come from; empty for the authority. */
      readonly fence: string;
    }
  | {
      /** After the answer has come. */
      readonly what: 'granted';
      readonly atMs: number;
      readonly id: string;
      /** Of each name. */
      readonly tokens: readonly string[];
    }
  | { readonly what: 'refused'; readonly atMs: number; readonly id: string; readonly why: string }
  | {
      /** The client's signal has aborted. `why`: cause of the loss. */
      readonly what: 'told';
      readonly atMs: number;
      readonly id: string;
      readonly why: string;
    }
  | { readonly what: 'releasing'; readonly atMs: number; readonly id: string }
  | {
      /** How a release ended; `why` is empty when it was confirmed. */
      readonly what: 'released';
      readonly atMs: number;
      readonly id: string;
      readonly why: string;
    }
  | {
      /** The process did not run (SIGSTOP, a busy machine), as it saw itself or as whoever stopped it knows. */
      readonly what: 'paused';
      readonly process: string;
      readonly fromMs: number;
      readonly atMs: number;
    }
  | {
      /** Before SIGKILL is sent. */
      readonly what: 'killed';
      readonly atMs: number;
      readonly process: string;
      readonly kind: 'client' | 'sidecar';
    };

export type Recording = (event: LockEvent) => void;

/** As the process of a pause: all of them, where they are one. */
export const everybody = '*';

/** CLOCK_MONOTONIC in ms: the same for all processes of this machine. */
export const machineNowMs = (): number => Number(process.hrtime.bigint()) / 1e6;

const beatMs = 5;
/** A shorter one is nobody's delay. */
const leastPauseMs = 15;

/** Records the pauses of this process, under this name; the result ends that. */
export function watchPauses(name: string, record: Recording): () => void {
  let lastMs = machineNowMs();
  const timer = setInterval(() => {
    const atMs = machineNowMs();
    if (atMs - lastMs > leastPauseMs) {
      record({ what: 'paused', process: name, fromMs: lastMs, atMs });
    }
    lastMs = atMs;
  }, beatMs);
  timer.unref();
  return () => clearInterval(timer);
}

/** One line. */
export const eventLine = (event: LockEvent): string => `${JSON.stringify(event)}\n`;

/** Events of lines; the last one may be cut off, where its writer was killed. */
export function eventsOf(text: string): LockEvent[] {
  return text.split('\n').flatMap((line, at, all) => {
    if (line === '') return [];
    try {
      return [JSON.parse(line) as LockEvent];
    } catch (error) {
      if (at === all.length - 1) return [];
      throw error;
    }
  });
}

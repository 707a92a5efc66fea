import type { ChildProcess } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { childrenOf, pauseProcess, resumeProcess } from '../faults/process-faults.ts';
import { isAlive } from './temporary-folder.ts';
import { endProcess } from './tethered-process.ts';

interface ServerLife {
  /** Starts it with the same data on the same port; resolves when it serves. */
  readonly launch: () => Promise<ChildProcess>;
  /** After its end: until nothing of it is left. */
  readonly gone?: () => Promise<void>;
  readonly stopGraceMs: number;
}

/** The process behind a server of tests, which ends and comes back while its address and its data stay. */
export class ServerProcess {
  readonly #life: ServerLife;
  #child: ChildProcess;

  constructor(child: ChildProcess, life: ServerLife) {
    this.#child = child;
    this.#life = life;
  }

  get child(): ChildProcess {
    return this.#child;
  }

  get pid(): number {
    return this.#child.pid as number;
  }

  /** Resolves when it is gone; SIGKILL follows where the signal does not help. */
  async end(signal: NodeJS.Signals): Promise<void> {
    const { gone, stopGraceMs } = this.#life;
    // Of a parent that is killed they are no children any more, and paused ones would stay.
    const children = childrenOf(this.pid);
    const ended = endProcess(this.#child, signal, stopGraceMs);
    for (const child of children) resumeProcess(child);
    await ended;
    await gone?.();
    // A process lets go of its folder and its sockets a moment before it has ended.
    while (children.some(isAlive)) await sleep(5);
  }

  async start(): Promise<void> {
    this.#child = await this.#life.launch();
  }

  pause(): void {
    pauseProcess(this.pid);
  }

  resume(): void {
    resumeProcess(this.pid);
  }
}

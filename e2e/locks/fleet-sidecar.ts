import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type SidecarProcess, startSidecarProcess } from '../../scripts/servers/sidecar.ts';
import { temporaryFolder } from '../../scripts/servers/temporary-folder.ts';
import { eventsOf, type LockEvent, machineNowMs, type Recording } from './history.ts';

interface FleetSidecarParts {
  readonly name: string;
  /** A manifest. */
  readonly policy: string;
  readonly env: Readonly<Record<string, string>>;
  /** How far its clocks are from the real ones. */
  readonly shiftMs: number;
  readonly record: Recording;
}

const program = fileURLToPath(new URL('shifted-sidecar.ts', import.meta.url));

/** A sidecar process that can be killed and stopped, and serves again where it served. */
export class FleetSidecar {
  readonly name: string;
  readonly #parts: FleetSidecarParts;
  readonly #folder = temporaryFolder('fleet');
  readonly #pauses = join(this.#folder, 'pauses');
  #running: SidecarProcess | undefined;

  constructor(parts: FleetSidecarParts) {
    this.name = parts.name;
    this.#parts = parts;
  }

  get address(): string {
    return `unix:${this.#folder}/s.sock`;
  }

  async start(): Promise<void> {
    const { env, policy, shiftMs } = this.#parts;
    this.#running = await startSidecarProcess(
      { HOLDFAST_LOG_LEVEL: 'fatal', ...env },
      {
        policy,
        folder: this.#folder,
        output: 'kept',
        main: [program, this.name, `${shiftMs}`, this.#pauses],
      },
    );
  }

  /** SIGKILL. */
  async kill(): Promise<void> {
    const running = this.#running;
    if (running === undefined) return;
    const { record } = this.#parts;
    record({ what: 'killed', atMs: machineNowMs(), process: this.name, kind: 'sidecar' });
    running.process.kill('SIGKILL');
    await running.exited;
  }

  /** SIGSTOP; the result is SIGCONT. */
  pause(): () => void {
    const fromMs = machineNowMs();
    const { process: child } = this.#running as SidecarProcess;
    child.kill('SIGSTOP');
    return () => {
      child.kill('SIGCONT');
      const { record } = this.#parts;
      record({ what: 'paused', process: this.name, fromMs, atMs: machineNowMs() });
    };
  }

  async pauseFor(forMs: number): Promise<void> {
    const resume = this.pause();
    await sleep(forMs);
    resume();
  }

  /** What it wrote down itself. */
  events(): LockEvent[] {
    try {
      return eventsOf(readFileSync(this.#pauses, 'utf8'));
    } catch {
      return [];
    }
  }

  async stop(): Promise<void> {
    await this.#running?.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

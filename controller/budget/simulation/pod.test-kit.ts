import { leaseTime } from '../../../sidecar/control/lease-time.ts';
import { Share } from '../../../sidecar/control/share.ts';
import type { Grant, Heartbeat, SessionRow } from '../share-messages.ts';
import type { Client, Server } from './server.test-kit.ts';
import { times } from './times.test-kit.ts';
import type { Timeline } from './timeline.test-kit.ts';

interface PodParts {
  readonly time: Timeline;
  readonly server: Server;
  readonly send: (heartbeat: Heartbeat) => void;
  /** Another share than before was applied. */
  readonly moved: () => void;
}

/** A pod: one sidecar process after the other, under a demand for sessions. */
export class Pod {
  readonly name: string;
  demand = 0;
  /** By force: it runs on, and nobody hears it. */
  deleted = false;
  #parts: PodParts;
  #process: Process | undefined;
  #boot = 0;
  #floor = 0;

  constructor(name: string, parts: PodParts) {
    this.name = name;
    this.#parts = parts;
  }

  /** What its sidecar would keep, as its disk says. */
  get floor(): number {
    return this.#process?.share.floor ?? this.#floor;
  }

  start(): void {
    if (this.#process !== undefined) return;
    this.#boot += 1;
    this.#process = new Process(this, this.#boot, this.floor, this.#parts);
  }

  /** The sessions that its process used are closed by the kernel. */
  crash(): void {
    this.#floor = this.floor;
    this.#process?.crash();
    this.#process = undefined;
  }

  receive(grant: Grant): void {
    this.#process?.do(() => this.#process?.receive(grant));
  }

  /** SIGSTOP; with `clockToo` as when the machine is suspended: its monotonic clock stands still. */
  stop(forMs: number, clockToo: boolean): void {
    const stopped = this.#process;
    stopped?.freeze(clockToo);
    this.#parts.time.after(forMs, () => stopped?.thaw());
  }
}

class Process implements Client {
  readonly address: string;
  readonly share: Share;
  readonly #pod: Pod;
  readonly #parts: PodParts;
  /** Port → end of its statement. */
  readonly #open = new Map<number, number>();
  readonly #connecting = new Set<number>();
  #dead = false;
  #frozenAtMs: number | undefined;
  #clockStopped = false;
  #pausedMs = 0;
  #backlog: (() => void)[] = [];
  #listing: Heartbeat['listing'];
  #granted = -1;
  #watching = false;
  readonly #rate: number;
  readonly #now: () => number;

  constructor(pod: Pod, boot: number, floor: number, parts: PodParts) {
    this.#pod = pod;
    this.#parts = parts;
    this.address = pod.name;
    const { time } = parts;
    this.#rate = time.between(0.98, 1.02);
    const now = (): number => {
      const nowMs = this.#clockStopped ? (this.#frozenAtMs ?? time.nowMs) : time.nowMs;
      return (nowMs - this.#pausedMs) * this.#rate;
    };
    this.#now = leaseTime({ now, wallNow: () => time.nowMs });
    this.share = new Share({
      boot,
      floor,
      now: this.#now,
      random: time.random,
      ...times.share,
    });
    const loop = (periodMs: number, work: () => void): void => {
      time.after(periodMs * time.between(0.9, 1.1), () => {
        if (this.#dead) return;
        this.do(work);
        loop(periodMs, work);
      });
    };
    loop(times.heartbeatMs, () => this.#beat());
    loop(times.stepMs, () => this.#step());
    this.#beat();
    this.#step();
  }

  /** Now, or when the process runs again. */
  do(work: () => void): void {
    if (this.#dead) return;
    if (this.#frozenAtMs === undefined) work();
    else this.#backlog.push(work);
  }

  crash(): void {
    this.#dead = true;
    for (const port of [...this.#open.keys(), ...this.#connecting]) {
      this.#parts.server.close(port, false);
    }
  }

  freeze(clockToo: boolean): void {
    if (this.#frozenAtMs !== undefined) return;
    this.#frozenAtMs = this.#parts.time.nowMs;
    this.#clockStopped = clockToo;
  }

  thaw(): void {
    if (this.#frozenAtMs === undefined) return;
    if (this.#clockStopped) this.#pausedMs += this.#parts.time.nowMs - this.#frozenAtMs;
    this.#frozenAtMs = undefined;
    this.#clockStopped = false;
    const backlog = this.#backlog;
    this.#backlog = [];
    for (const work of backlog) this.do(work);
  }

  opened(port: number): void {
    this.do(() => {
      this.#connecting.delete(port);
      if (this.share.opened(port)) this.#open.set(port, 0);
      else this.#destroy(port);
      this.#step();
    });
  }

  refused(port: number): void {
    this.do(() => {
      this.#connecting.delete(port);
      this.share.refused(port);
    });
  }

  closed(port: number): void {
    this.do(() => {
      this.#connecting.delete(port);
      this.#open.delete(port);
      this.share.closed(port);
      this.#step();
    });
  }

  receive(grant: Grant): void {
    const { server, moved } = this.#parts;
    if (!this.share.take(grant)) return;
    if (grant.share !== this.#granted) moved();
    this.#granted = grant.share;
    if (grant.list) {
      server.list((rows: SessionRow[]) => {
        this.do(() => (this.#listing = { asked: grant.answers, rows }));
      });
    }
    if (grant.terminate.length > 0) server.terminate(grant.terminate);
    this.#watch();
    this.#step();
  }

  /** The timers of T_stop and T_kill. */
  #watch(): void {
    const leftMs = this.share.nextChangeMs - this.#now();
    if (leftMs === Infinity || this.#watching) return;
    this.#watching = true;
    this.#parts.time.after(leftMs / this.#rate + 0.1, () => {
      this.#watching = false;
      this.do(() => {
        this.#step();
        this.#watch();
      });
    });
  }

  #beat(): void {
    this.#parts.send({
      pod: this.#pod.name,
      address: this.address,
      ...this.share.heartbeat(this.#pod.demand, this.#listing),
    });
    this.#listing = undefined;
  }

  #step(): void {
    const { time, server } = this.#parts;
    let { drain, destroy } = this.share.surplus;
    let busy = 0;
    for (const endMs of this.#open.values()) if (endMs > time.nowMs) busy += 1;
    for (const [port, endMs] of this.#open) {
      if (endMs > time.nowMs) {
        if (destroy <= 0) continue;
        destroy -= 1;
        drain -= 1;
        this.#destroy(port);
      } else if (drain > 0) {
        drain -= 1;
        destroy -= 1;
        this.#open.delete(port);
        this.share.destroyed(port);
        server.close(port, true);
      } else if (busy < this.#pod.demand) {
        busy += 1;
        const long = time.random() < 0.05;
        this.#open.set(port, time.nowMs + time.between(50, long ? 6_000 : 600));
      }
    }
    const wanted = this.#pod.demand - this.#open.size - this.#connecting.size;
    for (let left = Math.min(wanted, this.share.mayOpen); left > 0; left -= 1) {
      const port = server.connect(this);
      this.#connecting.add(port);
      this.share.connecting(port);
    }
  }

  /** The server's end is not waited for: only a listing shows that it is gone. */
  #destroy(port: number): void {
    this.#open.delete(port);
    this.share.destroyed(port);
    this.#parts.server.close(port, false);
  }
}

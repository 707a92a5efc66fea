import type { Heartbeat__Output } from '../../platform/gen/holdfast/control/v1/Heartbeat.ts';
import type { Hello__Output } from '../../platform/gen/holdfast/control/v1/Hello.ts';
import type { PolicyReport__Output } from '../../platform/gen/holdfast/control/v1/PolicyReport.ts';
import type { PodIdentity } from './pod-identity.ts';

/** What a sidecar finds wrong with a policy; nothing in it is empty but perhaps `policy` and `field`. */
export interface ReportedFault {
  readonly policy: string;
  readonly field: string;
  readonly message: string;
}

/** What a sidecar last said of the database of one budget. */
export interface Demand {
  readonly share: number;
  readonly demand: number;
  /** Sockets and connects under way. */
  readonly sockets: number;
  readonly waiting: number;
  readonly oldestWaitMs: number;
  /** SQLSTATE 53300, since its boot. */
  readonly refusals: string;
}

/** A sidecar that is connected to this replica. */
export interface Sidecar {
  readonly pod: PodIdentity;
  readonly boot: string;
  /** Of its program. */
  readonly version: string;
  /** Where its connection comes from, host:port. */
  readonly address: string;
  /** ms since 1970. */
  readonly connectedAtMs: number;
  /** Version of the snapshot in force; empty = none from a controller. */
  readonly applied: string;
  /** The newest snapshot that it refused, while that is not in force. */
  readonly rejected:
    | { readonly version: string; readonly faults: readonly ReportedFault[] }
    | undefined;
  readonly restartRequired: readonly string[];
  /** By budget. */
  readonly demands: ReadonlyMap<string, Demand>;
}

/** What became of a sidecar; heartbeats are too many to be told. */
export interface FleetChange {
  readonly kind: 'connected' | 'reported' | 'disconnected';
  readonly sidecar: Sidecar;
}

type Mutable = { -readonly [Name in keyof Sidecar]: Sidecar[Name] } & {
  readonly demands: Map<string, Demand>;
};

/** A sidecar fills the controller's memory and a policy's status with no more. */
const mostFaults = 16;
const mostRestarts = 16;
const mostBudgets = 16;
const mostLetters = 512;

/** Who is connected to this replica, and what each has acknowledged. Kept by the discovery server; everybody else reads. */
export class Fleet {
  readonly #byPod = new Map<string, Mutable>();
  readonly #listeners = new Set<(change: FleetChange) => void>();

  get size(): number {
    return this.#byPod.size;
  }

  connected(podUid: string): boolean {
    return this.#byPod.has(podUid);
  }

  /** Version of the snapshot that a pod has in force; empty = none from a controller, undefined = not connected. */
  applied(podUid: string): string | undefined {
    return this.#byPod.get(podUid)?.applied;
  }

  sidecar(podUid: string): Sidecar | undefined {
    return this.#byPod.get(podUid);
  }

  sidecars(): Iterable<Sidecar> {
    return this.#byPod.values();
  }

  /** Calls back with every change until the result is called. A listener must neither throw nor take long. */
  onChange(listener: (change: FleetChange) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Takes the place of whatever was connected from the same pod. */
  join(pod: PodIdentity, hello: Hello__Output, address: string, connectedAtMs: number): Sidecar {
    const sidecar: Mutable = {
      pod,
      boot: hello.boot,
      version: shortened(hello.version),
      address,
      connectedAtMs,
      applied: shortened(hello.policyVersion),
      rejected: undefined,
      restartRequired: [],
      demands: new Map(),
    };
    this.#byPod.set(pod.podUid, sidecar);
    this.#tell('connected', sidecar);
    return sidecar;
  }

  /** Without effect when another took its place. */
  leave(sidecar: Sidecar): void {
    if (this.#byPod.get(sidecar.pod.podUid) !== sidecar) return;
    this.#byPod.delete(sidecar.pod.podUid);
    this.#tell('disconnected', sidecar);
  }

  reported(sidecar: Sidecar, report: PolicyReport__Output): void {
    const own = this.#own(sidecar);
    if (own === undefined) return;
    const version = shortened(report.version);
    own.restartRequired = report.restartRequired.slice(0, mostRestarts).map(shortened);
    if (report.faults.length === 0) {
      own.applied = version;
      own.rejected = undefined;
    } else {
      const faults = report.faults.slice(0, mostFaults).map((fault) => ({
        policy: shortened(fault.policy),
        field: shortened(fault.field),
        message: shortened(fault.message),
      }));
      own.rejected = { version, faults };
    }
    this.#tell('reported', own);
  }

  heard(sidecar: Sidecar, heartbeat: Heartbeat__Output): void {
    const demands = this.#own(sidecar)?.demands;
    if (demands === undefined) return;
    const { budget, share, demand, ports, waiting, oldestWaitMs, refusals } = heartbeat;
    if (!demands.has(budget) && demands.size >= mostBudgets) return;
    demands.set(budget, { share, demand, sockets: ports.length, waiting, oldestWaitMs, refusals });
  }

  /** Undefined when another took its place. */
  #own(sidecar: Sidecar): Mutable | undefined {
    const own = this.#byPod.get(sidecar.pod.podUid);
    return own === sidecar ? own : undefined;
  }

  #tell(kind: FleetChange['kind'], sidecar: Sidecar): void {
    for (const listener of this.#listeners) listener({ kind, sidecar });
  }
}

/** A copy: a slice would keep the whole text in memory. Without what a terminal takes for a command: kubectl prints it as it is. */
const shortened = (text: string): string => {
  const cut =
    text.length <= mostLetters
      ? text
      : `${Buffer.from(text.slice(0, mostLetters - 1)).toString()}…`;
  return cut.replaceAll(/[\p{Cc}\p{Cf}]+/gu, ' ').toWellFormed();
};

import { status } from '@grpc/grpc-js';
import type { Clock } from '../../platform/clock.ts';
import type { Grant } from '../../platform/gen/holdfast/control/v1/Grant.ts';
import type { Heartbeat__Output } from '../../platform/gen/holdfast/control/v1/Heartbeat.ts';
import type { PolicyReport__Output } from '../../platform/gen/holdfast/control/v1/PolicyReport.ts';
import type { SidecarMessage__Output } from '../../platform/gen/holdfast/control/v1/SidecarMessage.ts';
import type { Logger } from '../../platform/logger.ts';
import type { DiscoveryCodec, Snapshot } from './discovery-codec.ts';
import type { DiscoveryMetrics } from './discovery-metrics.ts';
import type { Fleet, Sidecar } from './fleet.ts';
import { endCall, type DiscoveryCall } from './greeting.ts';

/** Who leads. The address is what sidecars connect to, host:port. */
export interface Leader {
  readonly isSelf: boolean;
  readonly address: string;
}

/** What streams need of the rest of the controller. None of these may wait. */
export interface StreamPorts {
  /** Undefined = the pod is not known yet: it is sent nothing until it changes. */
  readonly snapshotOf: (podUid: string) => Snapshot | undefined;
  /** Undefined = no grant: it does not lead, or the books are not written yet. */
  readonly onHeartbeat: (sidecar: Sidecar, heartbeat: Heartbeat__Output) => Grant | undefined;
  /** Undefined = nobody is known to. */
  readonly leader: () => Leader | undefined;
  /** Authorities in PEM; undefined = sidecars have them from elsewhere. */
  readonly trust: () => string | undefined;
}

interface StreamParts {
  readonly clock: Clock;
  readonly log: Logger;
  readonly codec: DiscoveryCodec;
  readonly metrics: DiscoveryMetrics;
  readonly fleet: Fleet;
  readonly ports: StreamPorts;
  /** Called once, however it ends. */
  readonly onEnd: (stream: SidecarStream) => void;
}

/** More is no sidecar: one sends a heartbeat a second for each of its few budgets. */
const mostMessages = 1_000;
const windowMs = 10_000;
const mostNameLetters = 253;

/**
 * The stream of one sidecar that has said Hello. One message is on its way at a time; while the sidecar does not take it, nothing waits but the newest
 * of each kind.
 */
export class SidecarStream {
  readonly sidecar: Sidecar;
  readonly #call: DiscoveryCall;
  readonly #parts: StreamParts;
  #ended = false;
  #underWay = false;
  /** Newest by budget. What is lost of a grant, the next one has. */
  readonly #grants = new Map<string, Grant>();
  #dirty = true;
  /** When the oldest change happened that was not sent; undefined = none but the stream itself is new. */
  #changedAtMs: number | undefined;
  #sentVersion: string;
  #awaited: { readonly version: string; readonly changedAtMs: number | undefined } | undefined;
  #sentTrust = '';
  #redirectDue = true;
  #sentRedirect = '';
  #windowFromMs: number;
  #messages = 0;

  /** Takes over a call that is paused behind its Hello, and sends what the sidecar does not have. */
  constructor(call: DiscoveryCall, sidecar: Sidecar, parts: StreamParts) {
    this.#call = call;
    this.sidecar = sidecar;
    this.#parts = parts;
    this.#sentVersion = sidecar.applied;
    this.#windowFromMs = parts.clock.now();
    call.on('cancelled', () => this.#close());
    call.on('end', () => this.#leave());
    call.on('data', (bytes: Buffer) => this.#receive(bytes));
    call.resume();
    this.flush();
  }

  /** Its policies may be others now; goes out with the next `flush`. */
  markChanged(nowMs: number): void {
    this.#dirty = true;
    this.#changedAtMs ??= nowMs;
  }

  /** Somebody else may lead now. */
  leaderChanged(): void {
    this.#redirectDue = true;
    this.flush();
  }

  /** Sends the most urgent of what the sidecar does not have; the rest follows when it has taken that. */
  flush(): void {
    if (this.#underWay || this.#ended) return;
    const bytes = this.#next();
    if (bytes === undefined) return;
    this.#underWay = true;
    this.#call.write(bytes, () => {
      this.#underWay = false;
      this.flush();
    });
  }

  /** Ends it with a status. Whatever it still says is ignored. */
  end(code: status, details: string): void {
    if (this.#ended) return;
    this.#close();
    endCall(this.#call, code, details);
  }

  #next(): Buffer | undefined {
    const { codec } = this.#parts;
    for (const [budget, grant] of this.#grants) {
      this.#grants.delete(budget);
      return codec.encode({ grant });
    }
    return this.#nextPolicy() ?? this.#nextTrust() ?? this.#nextRedirect();
  }

  #nextPolicy(): Buffer | undefined {
    if (!this.#dirty) return undefined;
    const { codec, metrics, ports } = this.#parts;
    const snapshot = this.#guarded(() => ports.snapshotOf(this.sidecar.pod.podUid));
    if (snapshot === undefined) return undefined;
    const { version } = snapshot;
    const changedAtMs = this.#changedAtMs;
    this.#dirty = false;
    this.#changedAtMs = undefined;
    if (version === this.#sentVersion) return undefined;
    this.#sentVersion = version;
    this.#awaited = { version, changedAtMs };
    metrics.sent();
    return codec.encodeSnapshot(snapshot);
  }

  #nextTrust(): Buffer | undefined {
    const pem = this.#parts.ports.trust();
    if (pem === undefined || pem === this.#sentTrust) return undefined;
    this.#sentTrust = pem;
    return this.#parts.codec.encode({ trust: { pem } });
  }

  #nextRedirect(): Buffer | undefined {
    if (!this.#redirectDue) return undefined;
    this.#redirectDue = false;
    const leader = this.#parts.ports.leader();
    const address = leader === undefined || leader.isSelf ? '' : leader.address;
    const isNews = address !== this.#sentRedirect;
    this.#sentRedirect = address;
    return isNews && address !== ''
      ? this.#parts.codec.encode({ redirect: { address } })
      : undefined;
  }

  #receive(bytes: Buffer): void {
    if (this.#ended || !this.#countMessage()) return;
    let message: SidecarMessage__Output;
    try {
      message = this.#parts.codec.decode(bytes);
    } catch {
      this.end(status.INVALID_ARGUMENT, 'a message is no SidecarMessage');
      return;
    }
    const { hello, report, heartbeat } = message;
    if (hello) this.end(status.INVALID_ARGUMENT, 'Hello is the first message and no other');
    else if (report) this.#reported(report);
    else if (heartbeat) this.#heard(heartbeat);
    // Else it is something that a newer sidecar says.
  }

  #reported(report: PolicyReport__Output): void {
    const { clock, fleet, metrics } = this.#parts;
    fleet.reported(this.sidecar, report);
    // It is reported again when `restart_required` changes.
    if (this.#awaited?.version !== report.version) return;
    const { changedAtMs } = this.#awaited;
    this.#awaited = undefined;
    if (report.faults.length > 0) return metrics.rejected();
    if (changedAtMs === undefined) return metrics.acknowledged();
    return metrics.acknowledged((clock.now() - changedAtMs) / 1_000);
  }

  #heard(heartbeat: Heartbeat__Output): void {
    const { fleet, ports } = this.#parts;
    const { budget } = heartbeat;
    if (budget === '' || budget.length > mostNameLetters) {
      this.end(status.INVALID_ARGUMENT, 'Heartbeat.budget is no name of a ConnectionBudget');
      return;
    }
    fleet.heard(this.sidecar, heartbeat);
    const grant = this.#guarded(() => ports.onHeartbeat(this.sidecar, heartbeat));
    if (grant === undefined) return;
    this.#grants.set(budget, grant);
    this.flush();
  }

  #countMessage(): boolean {
    const nowMs = this.#parts.clock.now();
    if (nowMs - this.#windowFromMs >= windowMs) [this.#windowFromMs, this.#messages] = [nowMs, 0];
    this.#messages += 1;
    if (this.#messages <= mostMessages) return true;
    const most = `${mostMessages} messages in ${windowMs / 1_000} s`;
    this.end(status.RESOURCE_EXHAUSTED, `more than ${most}`);
    return false;
  }

  /** What fails in another part of the controller costs one answer, not the stream. */
  #guarded<T>(ask: () => T): T | undefined {
    try {
      return ask();
    } catch (fault) {
      this.#parts.log.error({ err: fault, pod: this.sidecar.pod }, 'a sidecar got no answer');
      return undefined;
    }
  }

  /** The sidecar has nothing more to say. */
  #leave(): void {
    if (this.#ended) return;
    this.#close();
    this.#call.end();
  }

  #close(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#grants.clear();
    this.#parts.onEnd(this);
  }
}

import { Server, status } from '@grpc/grpc-js';
import type { Clock } from '../../platform/clock.ts';
import type { Logger } from '../../platform/logger.ts';
import { Authentication, type ReviewToken } from './authentication.ts';
import { discoveryCodec, type DiscoveryCodec } from './discovery-codec.ts';
import type { DiscoveryMetrics } from './discovery-metrics.ts';
import type { Fleet } from './fleet.ts';
import { endCall, greet, type DiscoveryCall } from './greeting.ts';
import { listenFor, type Listener } from './listener.ts';
import { rotatingCredentials, type CertificateSource } from './rotating-credentials.ts';
import { SidecarStream, type StreamPorts } from './sidecar-stream.ts';

interface DiscoveryParts extends Omit<StreamPorts, 'trust'> {
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Logger;
  readonly metrics: DiscoveryMetrics;
  readonly fleet: Fleet;
  readonly certificates: CertificateSource;
  readonly review: ReviewToken;
}

/** A listing of all sessions of a large server is some 100 KB. */
const mostMessageBytes = 2 * 1024 * 1024;
/** One, and another while it is replaced. */
const streamsPerConnection = 4;
const mostStreams = 20_000;
/** A connection whose peer is gone without a word ends within the sum. */
const pingEveryMs = 10_000;
const pongWithinMs = 10_000;
/** A connection without any stream. */
const idleMs = 15_000;
/** Pushing to thousands lets others have the event loop in between. */
const sliceMs = 10;
/** All are not sent elsewhere in the same instant. */
const spreadMs = 1_000;
/** How long connections may take to close behind their last stream. */
const lingerMs = 500;
/** Of timers. */
const mostDelayMs = 2 ** 31 - 1;

/** The gRPC server of the sidecars' streams: who they are, policy down, acknowledgements and demand up, grants down. */
export class DiscoveryServer {
  readonly #parts: DiscoveryParts;
  readonly #ports: StreamPorts;
  readonly #codec: DiscoveryCodec = discoveryCodec();
  readonly #authentication: Authentication;
  readonly #server: Server;
  readonly #streams = new Map<string, SidecarStream>();
  /** That were changed and not flushed yet. */
  readonly #changed = new Set<SidecarStream>();
  readonly #stopTimers = new Map<SidecarStream, () => void>();
  #scheduled = false;
  #greeting = 0;
  #stopping = false;
  #listener: Listener | undefined;
  readonly #stopWatching: () => void;

  constructor(parts: DiscoveryParts) {
    const { clock, review, log, certificates } = parts;
    this.#parts = parts;
    this.#ports = {
      snapshotOf: parts.snapshotOf,
      onHeartbeat: parts.onHeartbeat,
      leader: parts.leader,
      trust: () => certificates.current.authorities,
    };
    this.#authentication = new Authentication({
      clock,
      review,
      onFault: (fault) => log.error({ err: fault }, 'a token could not be checked'),
    });
    this.#stopWatching = certificates.onChange(() => {
      for (const stream of this.#streams.values()) stream.flush();
    });
    this.#server = new Server({
      'grpc.max_receive_message_length': mostMessageBytes,
      'grpc.max_concurrent_streams': streamsPerConnection,
      'grpc.keepalive_time_ms': pingEveryMs,
      'grpc.keepalive_timeout_ms': pongWithinMs,
      'grpc.max_connection_idle_ms': idleMs,
      'grpc.enable_channelz': 0,
    });
    this.#server.addService(this.#codec.service, {
      Connect: (call: DiscoveryCall) => void this.#serve(call),
    });
  }

  /** Serves on `host:port` (port 0 = any free one) and resolves with the port. Rejects when it cannot. */
  async listen(host: string, port: number): Promise<number> {
    const { certificates, log } = this.#parts;
    const credentials = rotatingCredentials(certificates, (fault) => {
      log.error({ err: fault }, 'the certificate cannot be used; the one before stays');
    });
    const injector = this.#server.createConnectionInjector(credentials);
    this.#listener = await listenFor({
      host,
      port,
      onConnection: (socket) => injector.injectConnection(socket),
      onFault: (fault) => log.error({ err: fault }, 'a connection could not be taken'),
    });
    return this.#listener.port;
  }

  /** Policies of a namespace, or of all, may be others now: whoever has others is sent them. */
  policiesChanged(namespace?: string): void {
    const nowMs = this.#parts.clock.now();
    for (const stream of this.#streams.values()) {
      if (namespace !== undefined && stream.sidecar.pod.namespace !== namespace) continue;
      stream.markChanged(nowMs);
      this.#changed.add(stream);
    }
    this.#schedule();
  }

  /** A pod has become known, or its labels are others now. */
  podChanged(podUid: string): void {
    const stream = this.#streams.get(podUid);
    if (stream === undefined) return;
    stream.markChanged(this.#parts.clock.now());
    this.#changed.add(stream);
    this.#schedule();
  }

  /** Somebody else leads: sidecars are told within a second, not all at once. */
  leaderChanged(): void {
    const { clock, random } = this.#parts;
    for (const stream of this.#streams.values()) {
      clock.after(random() * spreadMs, () => stream.leaderChanged());
    }
  }

  /** Takes no new streams, ends those that are there within a second, and resolves when all connections are closed. */
  async stop(): Promise<void> {
    const { clock, random } = this.#parts;
    this.#stopping = true;
    this.#stopWatching();
    this.#listener?.close();
    const closed = new Promise<void>((resolve) => this.#server.tryShutdown(() => resolve()));
    let left = this.#streams.size;
    await new Promise<void>((resolve) => {
      if (left === 0) resolve();
      for (const stream of this.#streams.values()) {
        clock.after(random() * spreadMs, () => {
          stream.end(status.UNAVAILABLE, 'this controller stops: connect to another');
          left -= 1;
          if (left === 0) resolve();
        });
      }
    });
    // Of whoever has not read what it was sent, the connection does not end by itself.
    const stopTimer = clock.after(lingerMs, () => {
      this.#listener?.cut();
    });
    await closed;
    stopTimer();
  }

  async #serve(call: DiscoveryCall): Promise<void> {
    if (this.#stopping) return endCall(call, status.UNAVAILABLE, 'this controller stops');
    if (this.#streams.size + this.#greeting >= mostStreams) {
      return endCall(call, status.RESOURCE_EXHAUSTED, `there are ${mostStreams} streams`);
    }
    const { clock, metrics, fleet, log } = this.#parts;
    const authenticate = (token: string) => this.#authentication.authenticate(token);
    this.#greeting += 1;
    const greeting = await greet(call, { clock, codec: this.#codec, authenticate, metrics });
    this.#greeting -= 1;
    if (greeting === undefined) return;
    if (this.#stopping) return endCall(call, status.UNAVAILABLE, 'this controller stops');

    const { pod, hello, expiresAtMs } = greeting;
    const other = this.#streams.get(pod.podUid);
    if (other !== undefined && BigInt(other.sidecar.boot) > BigInt(hello.boot)) {
      return endCall(call, status.FAILED_PRECONDITION, 'a newer boot of this pod is connected');
    }
    const sidecar = fleet.join(pod, hello, call.getPeer(), clock.wallNow());
    // What it still says is of nobody's interest from here on.
    if (other?.sidecar.boot === hello.boot) {
      other.end(status.ABORTED, 'this boot has another stream');
    } else other?.end(status.FAILED_PRECONDITION, 'a newer boot of this pod is connected');

    const onEnd = (stream: SidecarStream): void => this.#ended(stream);
    const parts = { clock, log, codec: this.#codec, metrics, fleet, ports: this.#ports, onEnd };
    const stream = new SidecarStream(call, sidecar, parts);
    this.#streams.set(pod.podUid, stream);
    if (expiresAtMs !== undefined) this.#endWithToken(stream, expiresAtMs);
    log.debug({ pod, boot: hello.boot, version: hello.version }, 'a sidecar is connected');
  }

  /** A token that was stolen is worth no more than its lifetime. */
  #endWithToken(stream: SidecarStream, expiresAtMs: number): void {
    const { clock } = this.#parts;
    const leftMs = Math.min(Math.max(0, expiresAtMs - clock.wallNow()), mostDelayMs);
    const stop = clock.after(leftMs, () => {
      stream.end(status.UNAVAILABLE, 'the token has expired: connect again with the newer one');
    });
    this.#stopTimers.set(stream, stop);
  }

  #ended(stream: SidecarStream): void {
    const { fleet, log } = this.#parts;
    const { pod } = stream.sidecar;
    this.#changed.delete(stream);
    this.#stopTimers.get(stream)?.();
    this.#stopTimers.delete(stream);
    // Who is replaced has ended before the other takes its place.
    this.#streams.delete(pod.podUid);
    fleet.leave(stream.sidecar);
    log.debug({ pod, boot: stream.sidecar.boot }, 'a sidecar is gone');
  }

  #schedule(): void {
    if (this.#scheduled || this.#changed.size === 0) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#flushSome();
    });
  }

  #flushSome(): void {
    const untilMs = this.#parts.clock.now() + sliceMs;
    for (const stream of this.#changed) {
      this.#changed.delete(stream);
      stream.flush();
      if (this.#parts.clock.now() >= untilMs) break;
    }
    this.#schedule();
  }
}

import type { Clock } from '../../platform/clock.ts';
import type { ControllerMessage__Output } from '../../platform/gen/holdfast/control/v1/ControllerMessage.ts';
import type { SidecarMessage } from '../../platform/gen/holdfast/control/v1/SidecarMessage.ts';
import { discoveryService } from '../../platform/grpc/contract.ts';
import type { Logger } from '../../platform/logger.ts';
import { Backoff } from './backoff.ts';
import type { ControlEvents } from './control-metrics.ts';
import { DiscoveryStream, type StreamEvents, type StreamPlace } from './discovery-stream.ts';

interface ClientParts {
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Logger;
  readonly events: ControlEvents;
  /** `host:port` of the Service of the controller. */
  readonly home: string;
  /** How to connect, as of now. Throws when a file cannot be read. */
  readonly place: () => Omit<StreamPlace, 'address'>;
  /** What a stream is told first, as of now; begins with Hello. */
  readonly greeting: () => readonly SidecarMessage[];
  /** A message of the stream in use; `send` answers on the same one. */
  readonly onMessage: (message: ControllerMessage__Output, send: Send) => void;
}

/** False: nobody listens, and the message is lost. */
export type Send = (message: SidecarMessage) => boolean;

/** A stream that holds for so long is no reason to wait before the next one. */
const stableMs = 10_000;

/**
 * Keeps one stream to the controller.
 *
 * The stream in use is connecting or open; when it ends another one begins after a wait. Told to go elsewhere, it opens a second one beside it (the next), which takes
 * its place when it is open; while it cannot be had the first one stays.
 */
export class DiscoveryClient {
  readonly #parts: ClientParts;
  readonly #service = discoveryService();
  readonly #retries: Backoff;
  readonly #redirects: Backoff;
  #isRedirected = false;
  #current: DiscoveryStream | undefined;
  #next: DiscoveryStream | undefined;
  #stopRetry: () => void = () => {};
  #stopRedirect: () => void = () => {};
  #stopStable: () => void = () => {};
  #isStopped = false;
  #fault = '';

  constructor(parts: ClientParts) {
    this.#parts = parts;
    this.#retries = new Backoff(parts.random);
    this.#redirects = new Backoff(parts.random);
  }

  /** Address of the controller that it has a stream to; empty without one. */
  get connectedTo(): string {
    return this.#current?.isOpen === true ? this.#current.address : '';
  }

  /** Why there is no stream; empty while there is one, or nothing is known. */
  get fault(): string {
    return this.#fault;
  }

  start(): void {
    this.#connect();
  }

  /** Says something on the stream in use. False: there is none, and it is lost. */
  send(message: SidecarMessage): boolean {
    return this.#current?.isOpen === true && this.#current.send(message);
  }

  /** Ends the stream; resolves within a second. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#stopRetry();
    this.#stopRedirect();
    this.#stopStable();
    const streams = [this.#current, this.#next].filter((stream) => stream !== undefined);
    for (const stream of streams) stream.close();
    await Promise.all(streams.map(({ ended }) => ended));
  }

  #connect(): void {
    this.#stopRedirect();
    const stream: { opened?: DiscoveryStream | undefined } = {};
    const isCurrent = (): boolean => this.#current === stream.opened;
    stream.opened = this.#openStream(this.#parts.home, {
      onOpen: () => isCurrent() && this.#opened(),
      onEnd: (fault) => isCurrent() && this.#lost(fault),
      isCurrent,
    });
    this.#current = stream.opened;
    if (stream.opened === undefined) this.#retry();
  }

  #opened(): void {
    const { log, events } = this.#parts;
    events.connected();
    this.#fault = '';
    log.info({ address: this.connectedTo }, 'connected to the controller');
    this.#stopStable();
    this.#stopStable = this.#parts.clock.after(stableMs, () => {
      this.#retries.reset();
      this.#redirects.reset();
      this.#isRedirected = false;
    });
  }

  #lost(fault: string): void {
    this.#failed(this.#current?.address ?? '', fault);
    this.#stopStable();
    this.#stopRedirect();
    // Where it was told to go may be there all the same.
    this.#current = this.#next;
    this.#next = undefined;
    if (this.#current === undefined) this.#retry();
  }

  #retry(): void {
    if (this.#isStopped) return;
    this.#stopRetry = this.#parts.clock.after(this.#retries.nextMs(), () => this.#connect());
  }

  /** Told once, until something changes. */
  #failed(address: string, fault: string): void {
    const { log, events } = this.#parts;
    events.failed();
    const level = fault === this.#fault ? 'debug' : 'warn';
    log[level]({ address, fault }, 'no stream to the controller: the policy in force stays');
    this.#fault = fault;
  }

  #redirect(address: string): void {
    const isHere = address === this.#current?.address;
    if (isHere || this.#next?.address === address) return;
    this.#stopRedirect();
    this.#next?.close();
    this.#next = undefined;
    // Two that both believe the other to lead must not make it run in circles.
    const delayMs = this.#isRedirected ? this.#redirects.nextMs() : 0;
    this.#isRedirected = true;
    this.#stopRedirect = this.#parts.clock.after(delayMs, () => this.#openNext(address));
  }

  #openNext(address: string): void {
    const stream: { opened?: DiscoveryStream | undefined } = {};
    const isCurrent = (): boolean => this.#current === stream.opened;
    const again = (): void => {
      this.#next = undefined;
      this.#stopRedirect = this.#parts.clock.after(this.#redirects.nextMs(), () =>
        this.#openNext(address),
      );
    };
    stream.opened = this.#openStream(address, {
      onOpen: () => {
        if (!isCurrent()) {
          this.#current?.close();
          this.#current = stream.opened;
          this.#next = undefined;
        }
        this.#opened();
      },
      onEnd: (fault) => {
        if (isCurrent()) return this.#lost(fault);
        this.#parts.events.failed();
        this.#parts.log.info({ address, fault }, 'the leader cannot be reached: the stream stays');
        again();
      },
      isCurrent,
    });
    this.#next = stream.opened;
    if (stream.opened === undefined) again();
  }

  /** Undefined: a file that it needs cannot be read. */
  #openStream(
    address: string,
    { isCurrent, ...events }: Omit<StreamEvents, 'onMessage'> & { isCurrent: () => boolean },
  ): DiscoveryStream | undefined {
    const { clock, place, greeting, onMessage } = this.#parts;
    const onEvent: StreamEvents = {
      ...events,
      onMessage: (message) => {
        // What a stream that was left says is answered by the other one.
        if (!isCurrent()) return;
        if (message.redirect) this.#redirect(message.redirect.address);
        else onMessage(message, (answer) => stream.send(answer));
      },
    };
    let stream: DiscoveryStream;
    try {
      const parts = { clock, service: this.#service, events: onEvent };
      stream = new DiscoveryStream({ ...place(), address }, greeting(), parts);
    } catch (thrown) {
      this.#failed(address, thrown instanceof Error ? thrown.message : 'unknown');
      return undefined;
    }
    return stream;
  }
}

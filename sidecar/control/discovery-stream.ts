import {
  Client,
  type ClientDuplexStream,
  credentials,
  Metadata,
  type ServiceDefinition,
  status,
  type StatusObject,
} from '@grpc/grpc-js';
import type { Clock } from '../../platform/clock.ts';
import type { ControllerMessage__Output } from '../../platform/gen/holdfast/control/v1/ControllerMessage.ts';
import type { SidecarMessage } from '../../platform/gen/holdfast/control/v1/SidecarMessage.ts';

/** Where a stream goes, and how the two know each other. */
export interface StreamPlace {
  /** `host:port` */
  readonly address: string;
  readonly serverName: string;
  /** Authorities in PEM. */
  readonly ca: string;
  readonly token: string;
}

export interface StreamEvents {
  /** The controller has taken it. Once, before any message. */
  onOpen(): void;
  onMessage(message: ControllerMessage__Output): void;
  /** It is over, whether it was open or not; once, and the last event. `fault` is for people. */
  onEnd(fault: string): void;
}

const connectMs = 5_000;
/** A controller that refuses says so at once; one that has nothing to say says nothing. */
const acceptedAfterMs = 2_000;
const lingerMs = 1_000;

const options = {
  'grpc.max_receive_message_length': 64 * 1024 * 1024,
  'grpc.keepalive_time_ms': 10_000,
  'grpc.keepalive_timeout_ms': 5_000,
  'grpc.enable_http_proxy': 0,
  'grpc.enable_retries': 0,
  'grpc.service_config_disable_resolution': 1,
  // Each stream has a connection of its own, that no earlier failure holds up.
  'grpc.use_local_subchannel_pool': 1,
};

/** One stream to one address. It is never made anew: who uses it opens another one. */
export class DiscoveryStream {
  readonly address: string;
  readonly #clock: Clock;
  readonly #client: Client;
  readonly #stream: ClientDuplexStream<SidecarMessage, ControllerMessage__Output>;
  readonly #events: StreamEvents;
  #isOpen = false;
  #isEnded = false;
  #stopTimer: () => void = () => {};
  #ended: () => void = () => {};
  readonly ended = new Promise<void>((resolve) => (this.#ended = resolve));

  /** Connects, and says `first`, which begins with Hello. Throws when `ca` is no PEM. */
  constructor(
    place: StreamPlace,
    first: readonly SidecarMessage[],
    parts: { clock: Clock; service: ServiceDefinition; events: StreamEvents },
  ) {
    const { clock, service, events } = parts;
    this.address = place.address;
    this.#clock = clock;
    this.#events = events;
    this.#client = new Client(place.address, credentials.createSsl(Buffer.from(place.ca)), {
      ...options,
      'grpc.ssl_target_name_override': place.serverName,
      'grpc.default_authority': place.serverName,
    });
    const metadata = new Metadata();
    metadata.set('authorization', `Bearer ${place.token}`);
    const method = service['Connect'];
    if (method === undefined) throw new Error('proto has no Discovery.Connect');
    this.#stream = this.#client.makeBidiStreamRequest<SidecarMessage, ControllerMessage__Output>(
      method.path,
      method.requestSerialize,
      method.responseDeserialize as (bytes: Buffer) => ControllerMessage__Output,
      metadata,
    );
    // The status, which follows, says the same.
    this.#stream.on('error', () => {});
    this.#stream.on('status', (end: StatusObject) => this.#end(faultOf(end)));
    this.#stream.on('metadata', () => this.#open());
    this.#stream.on('data', (message: ControllerMessage__Output) => {
      this.#open();
      if (!this.#isEnded) events.onMessage(message);
    });
    for (const message of first) this.#stream.write(message);
    this.#client.waitForReady(new Date(clock.wallNow() + connectMs), (error) => {
      if (this.#isEnded) return;
      if (error !== undefined) return this.#end('it does not answer');
      this.#stopTimer = clock.after(acceptedAfterMs, () => this.#open());
    });
  }

  get isOpen(): boolean {
    return this.#isOpen && !this.#isEnded;
  }

  /** False: it is over, or it is a heartbeat and the controller takes nothing; the message is lost. Reports are few, and each is needed: they wait. */
  send(message: SidecarMessage): boolean {
    const { heartbeat } = message;
    if (this.#isEnded || (heartbeat && this.#stream.writableNeedDrain)) return false;
    this.#stream.write(message);
    return true;
  }

  /** Says that it sends no more, and is over within a second. No event follows. */
  close(): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#stopTimer();
    this.#stream.end();
    const stop = this.#clock.after(lingerMs, () => this.#release());
    this.#stream.once('status', () => {
      stop();
      this.#release();
    });
  }

  #open(): void {
    if (this.#isOpen || this.#isEnded) return;
    this.#isOpen = true;
    this.#stopTimer();
    this.#events.onOpen();
  }

  #end(fault: string): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#stopTimer();
    this.#release();
    this.#events.onEnd(fault);
  }

  #release(): void {
    this.#stream.cancel();
    this.#client.close();
    this.#ended();
  }
}

/** Names of codes, for the log. */
const codeName = (code: status): string => status[code] ?? String(code);

const faultOf = ({ code, details }: StatusObject): string =>
  code === status.OK ? 'it ended the stream' : `${codeName(code)}: ${details}`;

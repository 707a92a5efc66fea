import { readFileSync } from 'node:fs';
import type { Registry } from 'prom-client';
import type { Clock } from '../platform/clock.ts';
import type { ControllerMessage__Output } from '../platform/gen/holdfast/control/v1/ControllerMessage.ts';
import type { Grant__Output } from '../platform/gen/holdfast/control/v1/Grant.ts';
import type { Logger } from '../platform/logger.ts';
import { version } from '../platform/version.ts';
import type { Reread, Settings } from './config.ts';
import type { BudgetLink } from './control/budget-link.ts';
import { controlMetrics } from './control/control-metrics.ts';
import { Floors } from './control/floors.ts';
import { DiscoveryClient, type Send } from './control/discovery-client.ts';
import { type InForce, PolicyIntake } from './control/policy-intake.ts';
import { StateFolder } from './control/state-folder.ts';
import { type ControllerSettings, isPem } from './settings/controller-settings.ts';

interface ControlParts {
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Logger;
  readonly registry: Registry;
  readonly reread: Reread;
}

/** The way to the controller. */
export interface ControlLink {
  /** To start with: under the last good policies. */
  readonly settings: Settings;
  readonly budgets: BudgetLink;
  /** Of connection budgets, on the disk. */
  readonly floors: Floors;
  /** Address of the controller that it has a stream to; empty without one. */
  readonly connectedTo: string;
  /** Why there is no stream; empty while there is one. */
  readonly fault: string;
  /** The settings as they are now, under the policies in force. Throws SettingsError. */
  reread(): Settings;
  /** Connects; from now on `live` gets new policies. */
  start(live: InForce): void;
  /** To be called now and then: tells the controller what has changed. */
  look(): void;
  /** Ends the stream, and resolves when all that is to be kept is. */
  stop(): Promise<void>;
}

/** The way to the controller, if the settings name one. */
export function openControl(settings: Settings, parts: ControlParts): ControlLink | undefined {
  const { controller, stateDir } = settings;
  if (controller === undefined || stateDir === undefined) return undefined;
  const { clock, log, registry, reread } = parts;
  const state = new StateFolder(stateDir, log);
  const boot = state.nextBoot(clock.wallNow());
  const intake = new PolicyIntake({ log, state, reread });
  const first = intake.first(settings);
  const authorities = new Authorities(controller, state, log);
  let live: InForce | undefined;
  let onGrant: (budget: string, grant: Grant__Output) => void = () => {};

  const tell = (send: Send, report: ReturnType<PolicyIntake['look']>): void => {
    if (report !== undefined) send({ report });
  };
  const onMessage = ({ policy, grant, trust }: ControllerMessage__Output, send: Send): void => {
    if (policy && live !== undefined) tell(send, intake.take(policy, live));
    else if (grant) onGrant(grant.budget, grant);
    else if (trust) authorities.take(trust.pem);
    // Else it is something that a newer controller says.
  };
  const client = new DiscoveryClient({
    ...parts,
    events: controlMetrics(registry, () => client.connectedTo !== ''),
    home: controller.address,
    place: () => ({
      serverName: controller.serverName,
      ca: authorities.pem(),
      token: readFileSync(controller.tokenFile, 'utf8').trim(),
    }),
    greeting: () => {
      const hello = { boot, version, policyVersion: live?.digest ?? '' };
      const report = live && intake.beyondVersion(live);
      return report === undefined ? [{ hello }] : [{ hello }, { report }];
    },
    onMessage,
  });
  return {
    settings: first,
    floors: new Floors(state),
    budgets: {
      boot,
      send: (heartbeat) => client.send({ heartbeat }),
      onGrant: (take) => (onGrant = take),
    },
    get connectedTo() {
      return client.connectedTo;
    },
    get fault() {
      return client.fault;
    },
    reread: () => intake.reread(),
    start: (inForce) => {
      live = inForce;
      client.start();
    },
    look: () => live && tell((message) => client.send(message), intake.look(live)),
    stop: async () => {
      await client.stop();
      await state.settled();
    },
  };
}

/** Whom to believe: those that came with the pod, and those that the controller sent since. */
class Authorities {
  readonly #settings: ControllerSettings;
  readonly #state: StateFolder;
  readonly #log: Logger;
  #sent: string;

  constructor(settings: ControllerSettings, state: StateFolder, log: Logger) {
    this.#settings = settings;
    this.#state = state;
    this.#log = log;
    const kept = state.read('trust') ?? '';
    this.#sent = isPem(kept) ? kept : '';
  }

  pem(): string {
    const { ca } = this.#settings;
    return `${'pem' in ca ? ca.pem : readFileSync(ca.file, 'utf8')}\n${this.#sent}`;
  }

  take(pem: string): void {
    if (pem === this.#sent) return;
    if (!isPem(pem)) {
      this.#log.error('the controller sent authorities that are no PEM: those before stay');
      return;
    }
    this.#sent = pem;
    this.#state.keep('trust', pem);
    this.#log.info('the controller sent new authorities');
  }
}

import type { PolicyFault as WireFault } from '../../platform/gen/holdfast/control/v1/PolicyFault.ts';
import type { PolicyReport } from '../../platform/gen/holdfast/control/v1/PolicyReport.ts';
import type { PolicySnapshot__Output } from '../../platform/gen/holdfast/control/v1/PolicySnapshot.ts';
import type { Logger } from '../../platform/logger.ts';
import { version as ownVersion } from '../../platform/version.ts';
import type { Reread, Settings } from '../config.ts';
import type { GivenPolicies } from '../settings/given-policies.ts';
import { type PolicyFault, SettingsError } from '../settings/settings-error.ts';
import { readSnapshot } from './policy-snapshot.ts';
import type { StateFolder } from './state-folder.ts';

/** The settings in force. */
export interface InForce {
  readonly digest: string;
  readonly restartRequired: readonly string[];
  /** Puts settings in force. */
  read(settings: Settings): void;
  /** A policy is not put in force; none = what is in force is the newest. */
  refuse(faults: readonly string[]): void;
}

interface IntakeParts {
  readonly log: Logger;
  readonly state: StateFolder;
  readonly reread: Reread;
}

const mostFaults = 100;
const longestFault = 1_000;

/** Puts the policies that the controller sends in force, and keeps the last good ones. */
export class PolicyIntake {
  readonly #parts: IntakeParts;
  /** Beside the policies: text of secrets by path. */
  readonly #lastRead = new Map<string, string>();
  /** In force. */
  #given: GivenPolicies | undefined;
  /** Well-formed, but refused for what is around it, such as a secret. */
  #refused: PolicySnapshot__Output | undefined;
  /** What of the policies in force only a newer sidecar knows. */
  #unknown: readonly string[] = [];
  #reported = '';

  constructor(parts: IntakeParts) {
    this.#parts = parts;
  }

  /** The settings to start with: under the last good policies, if they are there and still good. Else `settings`. */
  first(settings: Settings): Settings {
    const { state, log, reread } = this.#parts;
    const kept = state.read('policy');
    if (kept === undefined) return settings;
    try {
      const snapshot = JSON.parse(kept) as PolicySnapshot__Output;
      const read = readSnapshot(snapshot);
      if ('faults' in read) {
        log.error(
          { faults: read.faults },
          'the last good policies are good no more: started without',
        );
        return settings;
      }
      const given = {
        version: snapshot.version,
        policies: read.policies,
        lastRead: this.#lastRead,
        starting: true,
      };
      const first = reread(given);
      this.#given = { ...given, starting: false };
      this.#passOver(read.unknown);
      log.info({ version: given.version }, 'started under the last good policies');
      return first;
    } catch (err) {
      log.error({ err }, 'the last good policies cannot be used: started without');
      return settings;
    }
  }

  /** The settings as they are now. Throws SettingsError. */
  reread(): Settings {
    return this.#parts.reread(this.#given);
  }

  /** Policies that the controller has sent: puts them in force, or says why not. */
  take(snapshot: PolicySnapshot__Output, live: InForce): PolicyReport {
    this.#refused = undefined;
    const { version } = snapshot;
    if (version !== '' && version === live.digest) {
      live.refuse([]);
      return this.#report(live);
    }
    const read = readSnapshot(snapshot);
    if ('faults' in read) return this.#refuse(version, read.faults, live);
    const { policies } = read;
    const given = { version, policies, lastRead: this.#lastRead, starting: false };
    try {
      live.read(this.#parts.reread(given));
    } catch (thrown) {
      if (thrown instanceof SettingsError) this.#refused = snapshot;
      return this.#refuse(version, [this.#faultOf(thrown)], live);
    }
    this.#given = given;
    this.#passOver(read.unknown);
    this.#parts.state.keep('policy', JSON.stringify(snapshot));
    return this.#report(live);
  }

  /** Looks again: what was refused may be good now, and secrets may have come. The result is to be told, if there is one. */
  look(live: InForce): PolicyReport | undefined {
    if (this.#refused !== undefined) {
      const report = this.take(this.#refused, live);
      return (report.faults ?? []).length > 0 ? undefined : report;
    }
    return live.digest !== '' && this.#reported !== this.#reportKey(live)
      ? this.#report(live)
      : undefined;
  }

  /** What to tell a controller that only knows the version, if there is more to tell. */
  beyondVersion(live: InForce): PolicyReport | undefined {
    return this.#restartRequired(live).length > 0 ? this.#report(live) : undefined;
  }

  #report(live: InForce): PolicyReport {
    this.#reported = this.#reportKey(live);
    return { version: live.digest, restartRequired: this.#restartRequired(live) };
  }

  #restartRequired({ restartRequired }: InForce): string[] {
    return [...restartRequired, ...this.#unknown];
  }

  #reportKey(live: InForce): string {
    return [live.digest, ...this.#restartRequired(live)].join('\n');
  }

  /** A newer pod does what they say; what this one knows must not wait for that. */
  #passOver(unknown: readonly PolicyFault[]): void {
    this.#unknown = unknown
      .slice(0, mostFaults)
      .map(
        ({ policy, field }) =>
          `policy "${policy}": ${field} is not known to sidecar ${ownVersion}, and takes effect in a newer one`,
      );
    if (this.#unknown.length === 0) return;
    this.#parts.log.warn({ fields: this.#unknown }, 'fields of a newer schema have no effect');
  }

  #refuse(version: string, faults: readonly PolicyFault[], live: InForce): PolicyReport {
    live.refuse(faults.slice(0, mostFaults).map(faultText));
    const told = faults.slice(0, mostFaults).map(({ policy, field, message }): WireFault => ({
      policy,
      field,
      message: message.slice(0, longestFault),
    }));
    return { version, faults: told };
  }

  #faultOf(thrown: unknown): PolicyFault {
    if (thrown instanceof SettingsError) {
      return thrown.fault ?? { policy: '', field: '', message: thrown.message };
    }
    this.#parts.log.error({ err: thrown }, 'a policy could not be put in force');
    return {
      policy: '',
      field: '',
      message: 'the sidecar failed to put it in force; its log says more',
    };
  }
}

const faultText = ({ policy, field, message }: PolicyFault): string =>
  [policy === '' ? '' : `policy "${policy}": `, field === '' ? '' : `${field}: `, message].join('');

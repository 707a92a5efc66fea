import { isDeepStrictEqual } from 'node:util';
import type { Registry } from 'prom-client';
import type { Clock } from '../../platform/clock.ts';
import type { Logger } from '../../platform/logger.ts';
import type { Settings } from '../config.ts';
import { policyMetrics, type PolicyEvents } from './policy-metrics.ts';

interface LiveParts {
  readonly clock: Clock;
  readonly log: Logger;
  readonly registry: Registry;
  /** Puts settings in force. What runs goes on under those that it began with. */
  readonly apply: (settings: Settings) => void;
}

/** What is only read at the start. */
const fixed = ['server', 'redisOff', 'stateDir', 'controller', 'logLevel', 'graceMs'] as const;

/** The settings in force, and why newer ones are not. */
export class LivePolicy {
  readonly #parts: LiveParts;
  readonly #metrics: PolicyEvents;
  readonly #first: Settings;
  #settings: Settings;
  /** Others than those in force, under the same policy. */
  #pending: Settings | undefined;
  #version = 1;
  #appliedAtMs: number;
  #faults: readonly string[] = [];
  /** Of policies that the controller sent, and that are not in force. */
  #refusal: readonly string[] = [];
  /** The first that some policy had: who grants them is settled then. */
  #locks: Settings['locks'];

  constructor(settings: Settings, parts: LiveParts) {
    this.#first = settings;
    this.#settings = settings;
    this.#locks = settings.locks;
    this.#parts = parts;
    this.#appliedAtMs = parts.clock.now();
    this.#metrics = policyMetrics(parts.registry, this);
  }

  /** Counts the policies that were in force since the start, from 1. */
  get version(): number {
    return this.#version;
  }

  /** SHA-256 of the policy file in force, or the version that the controller gave its policies; empty without any. */
  get digest(): string {
    return this.#settings.policyDigest;
  }

  /** Where the policy in force comes from; empty = there is none. */
  get source(): 'File' | 'Controller' | '' {
    if (this.digest === '') return '';
    return this.#settings.controller === undefined ? 'File' : 'Controller';
  }

  get appliedMsAgo(): number {
    return this.#parts.clock.now() - this.#appliedAtMs;
  }

  /** Why the newest settings are not in force, a line for each fault; empty when they are. */
  get faults(): readonly string[] {
    return [...this.#refusal, ...this.#faults];
  }

  /** What has changed, or is missing, and is only sure to be taken at the next start. */
  get restartRequired(): readonly string[] {
    const changed = fixed.filter(
      (field) => !isDeepStrictEqual(this.#first[field], this.#settings[field]),
    );
    const locks = isSameAuthority(this.#locks, this.#settings.locks) ? [] : ['locks'];
    const absent = this.#settings.absent.map(
      ({ policy, field, message }) => `policy "${policy}": ${field}: ${message}`,
    );
    return [...changed, ...locks, ...absent];
  }

  get settings(): Settings {
    return this.#settings;
  }

  /** Settings that were read: puts them in force if they are others. */
  read(settings: Settings): void {
    const wasFaulty = this.#faults.length > 0;
    this.#faults = [];
    const isNew = settings.policyDigest !== this.#settings.policyDigest;
    if (isDeepStrictEqual(settings, this.#settings)) {
      if (wasFaulty) this.#parts.log.info('the policy file is the one in force again');
      return;
    }
    // A secret that is no file of a mount may be half written the first time.
    if (!isNew && !isDeepStrictEqual(settings, this.#pending)) {
      this.#pending = settings;
      return;
    }
    this.#apply(settings);
    if (!isNew) return;
    this.#refusal = [];
    this.#version += 1;
    this.#appliedAtMs = this.#parts.clock.now();
    this.#metrics.applied();
    const { digest, version } = this;
    this.#parts.log.info({ digest, version }, 'a new policy is in force');
  }

  /** Settings that cannot be used: those in force stay. */
  reject(faults: readonly string[]): void {
    this.#faults = faults;
    this.#metrics.rejected();
    this.#parts.log.error({ faults }, 'the settings cannot be used: those in force stay');
  }

  /** Policies that were sent and cannot be used; none = those in force are the newest. */
  refuse(faults: readonly string[]): void {
    const isNews = !isDeepStrictEqual(faults, this.#refusal);
    this.#refusal = faults;
    if (!isNews || faults.length === 0) return;
    this.#metrics.rejected();
    this.#parts.log.error({ faults }, 'a new policy cannot be used: the one in force stays');
  }

  #apply(settings: Settings): void {
    try {
      this.#parts.apply(settings);
    } catch (error) {
      // Whatever part of it took effect.
      this.#parts.apply(this.#settings);
      throw error;
    }
    this.#settings = settings;
    this.#locks ??= settings.locks;
  }
}

/** Who grants locks does not change while some are held: two authorities would grant one lock twice. */
const isSameAuthority = (before: Settings['locks'], after: Settings['locks']): boolean =>
  before?.authority === after?.authority && before?.server === after?.server;

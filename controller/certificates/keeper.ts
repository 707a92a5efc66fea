import type { Clock } from '../../platform/clock.ts';
import type { Logger } from '../../platform/logger.ts';
import { rotate, type TlsState } from './rotation.ts';
import { heldTls, type ServingCertificates, type ServingTls } from './serving-certificates.ts';
import { secretOfState, stateOfSecret, tlsSecretName } from './tls-secret.ts';

/** A Secret as it was read. */
export interface StoredSecret {
  /** Decoded. */
  readonly data: Readonly<Record<string, string>>;
  /** Its resourceVersion. */
  readonly version: string;
}

/** The Secret that replicas share (port). */
export interface SecretStore {
  /** Undefined when there is none. */
  read(signal: AbortSignal): Promise<StoredSecret | undefined>;
  /** Replaces the one that has this version, or creates it when that is undefined; false when another was faster. */
  write(
    data: Readonly<Record<string, string>>,
    version: string | undefined,
    signal: AbortSignal,
  ): Promise<boolean>;
}

export interface KeeperParts {
  readonly store: SecretStore;
  /** DNS names of the serving certificate. */
  readonly names: readonly string[];
  readonly clock: Clock;
  readonly logger: Logger;
  /** Ends the wait for the first certificate. */
  readonly signal: AbortSignal;
}

/** How often the Secret is looked at, in ms. */
const roundMs = 60_000;
const retryMs = 5_000;

/** Certificates that the controller makes itself, all replicas the same. Resolves with the first, however long the API server takes. */
export async function keepCertificates(parts: KeeperParts): Promise<ServingCertificates> {
  const { clock, logger, signal } = parts;
  const stopped = new AbortController();
  const ended = AbortSignal.any([signal, stopped.signal]);
  let first: ServingTls | undefined;
  while (first === undefined) {
    try {
      first = await round(parts, ended);
    } catch (error) {
      if (ended.aborted) throw error;
      logger.warn(
        { err: error, secret: tlsSecretName },
        'no certificate yet: its Secret cannot be read or written',
      );
      await clock.sleep(retryMs, ended);
    }
  }
  const held = heldTls(first);
  let underWay: Promise<void> | undefined;
  const check = (): Promise<void> =>
    (underWay ??= round(parts, ended)
      .then(held.put)
      .finally(() => {
        underWay = undefined;
      }));
  void (async () => {
    let delayMs = roundMs;
    while (!ended.aborted) {
      try {
        await clock.sleep(delayMs, ended);
        await check();
        delayMs = roundMs;
      } catch (error) {
        if (ended.aborted) return;
        delayMs = retryMs;
        logger.warn({ err: error }, 'certificates cannot be looked after; the old ones are served');
      }
    }
  })();
  return {
    get current() {
      return held.current;
    },
    onChange: held.onChange,
    check,
    close: () => stopped.abort(),
  };
}

const mostTries = 10;

/** Reads, rotates, writes; whoever was slower takes what the faster one wrote. */
async function round(
  { store, names, clock, logger }: KeeperParts,
  signal: AbortSignal,
): Promise<ServingTls> {
  for (let attempt = 1; attempt <= mostTries; attempt += 1) {
    const stored = await store.read(signal);
    const before = stored && stateOfSecret(stored.data);
    const after = await rotate(before, names, clock.wallNow());
    if (after === before || (await store.write(secretOfState(after), stored?.version, signal))) {
      if (after !== before) logger.info(changes(before, after), 'certificates were renewed');
      return {
        certificate: after.leaf.certificate,
        key: after.leaf.key,
        authorities: after.authorities.join(''),
      };
    }
  }
  throw new Error('the Secret of the certificates changes all the time');
}

const changes = (before: TlsState | undefined, after: TlsState) => ({
  leaf: before?.leaf !== after.leaf,
  authority: before?.signer !== after.signer,
  authorities: after.authorities.length,
});

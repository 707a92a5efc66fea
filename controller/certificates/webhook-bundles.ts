import type { Clock } from '../../platform/clock.ts';
import type { Logger } from '../../platform/logger.ts';
import type { ServingCertificates } from './serving-certificates.ts';

/** A MutatingWebhookConfiguration or ValidatingWebhookConfiguration, as far as it is read here. */
export interface WebhookConfiguration {
  readonly kind: 'MutatingWebhookConfiguration' | 'ValidatingWebhookConfiguration';
  readonly name: string;
  readonly resourceVersion: string;
  readonly webhooks: readonly {
    readonly name: string;
    /** Base64, as it stands there. */
    readonly caBundle: string | undefined;
  }[];
}

/** One operation of a JSON patch (RFC 6902). */
export interface PatchOperation {
  readonly op: 'add' | 'replace' | 'remove' | 'test';
  readonly path: string;
  readonly value?: unknown;
}

/** The webhook configurations of the chart (port). */
export interface WebhookConfigurations {
  /** Those that exist. */
  list(signal: AbortSignal): Promise<readonly WebhookConfiguration[]>;
  patch(
    configuration: WebhookConfiguration,
    operations: readonly PatchOperation[],
    signal: AbortSignal,
  ): Promise<void>;
}

export interface BundleParts {
  readonly configurations: WebhookConfigurations;
  readonly certificates: ServingCertificates;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** How often the configurations are looked at, in ms: `helm upgrade` may have emptied them. */
const roundMs = 5_000;

/** Keeps the `caBundle` of every webhook right until it is closed. Does nothing while nobody says whom to believe. */
export function superviseWebhookBundles({
  configurations,
  certificates,
  clock,
  logger,
}: BundleParts): { check(): Promise<void>; close(): void } {
  const stopped = new AbortController();
  const check = async (): Promise<void> => {
    const { authorities } = certificates.current;
    if (authorities === undefined || stopped.signal.aborted) return;
    try {
      const changed = await keepWebhookBundles(configurations, authorities, stopped.signal);
      if (changed > 0) logger.info({ changed }, 'webhooks believe the authorities now');
    } catch (error) {
      if (stopped.signal.aborted) return;
      logger.warn({ err: error }, 'the caBundle of the webhooks cannot be looked after');
    }
  };
  const unsubscribe = certificates.onChange(() => void check());
  void (async () => {
    while (!stopped.signal.aborted) {
      await check();
      await clock.sleep(roundMs, stopped.signal).catch(() => undefined);
    }
  })();
  return {
    check,
    close: () => {
      unsubscribe();
      stopped.abort();
    },
  };
}

/** Makes every webhook believe the authorities (PEM), whatever was there. Says how many configurations it changed. */
export async function keepWebhookBundles(
  configurations: WebhookConfigurations,
  authorities: string,
  signal: AbortSignal,
): Promise<number> {
  const caBundle = Buffer.from(authorities).toString('base64');
  let changed = 0;
  for (const configuration of await configurations.list(signal)) {
    const operations = bundlePatch(configuration, caBundle);
    if (operations.length === 0) continue;
    await configurations.patch(configuration, operations, signal);
    changed += 1;
  }
  return changed;
}

function bundlePatch(
  { resourceVersion, webhooks }: WebhookConfiguration,
  caBundle: string,
): PatchOperation[] {
  const operations = webhooks.flatMap((webhook, index): PatchOperation[] =>
    webhook.caBundle === caBundle
      ? []
      : [{ op: 'add', path: `/webhooks/${index}/clientConfig/caBundle`, value: caBundle }],
  );
  if (operations.length === 0) return [];
  // Webhooks are counted, and another may have put one in between.
  return [{ op: 'test', path: '/metadata/resourceVersion', value: resourceVersion }, ...operations];
}

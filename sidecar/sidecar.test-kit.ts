import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { systemClock } from '../platform/clock.ts';
import { makeLogger } from '../platform/logger.ts';
import { startApp, type App } from './app.ts';
import { readSettings } from './config.ts';

/** What its policy file says. */
interface KitPolicy {
  /** Fields of spec.postgres[0], as a policy has them: `{ pool: { max: 40 }, statementTimeoutMs: 1000 }`. */
  readonly postgres?: object;
  /** More pools of the same database. */
  readonly morePostgres?: readonly object[];
  /** Fields of spec.redis[0]. */
  readonly redis?: object;
  /** spec.locks. */
  readonly locks?: object | undefined;
  /** spec.targets. */
  readonly targets?: readonly object[];
  /** spec.targets of a second policy, in shadow mode. */
  readonly shadow?: readonly object[];
}

interface KitOptions extends KitPolicy {
  readonly databaseUrl: string;
  /** Absent: REDIS_URL=off. */
  readonly redisUrl?: string;
  /** More HOLDFAST_… settings. */
  readonly env?: Readonly<Record<string, string>>;
  /** Serve again where an earlier one served. */
  readonly folder?: string;
}

export interface TestSidecar {
  readonly app: App;
  /** For clients: `unix:…`. */
  readonly address: string;
  /** `127.0.0.1:port`; calls there need the token. */
  readonly tcpAddress: string;
  readonly token: string;
  readonly folder: string;
  /** Replaces its policy file, at once as kubectl's mounts are. */
  swap(policy: KitPolicy): void;
  /** Writes a secret: `$HOLDFAST_SECRETS_DIR/<name>/<key>`. */
  secret(name: string, key: string, text: string): void;
  stop(graceMs?: number): Promise<void>;
}

/** A sidecar in this process, on real servers, with settings that came the way a user's do. */
export async function startSidecar(options: KitOptions): Promise<TestSidecar> {
  const folder = options.folder ?? mkdtempSync(join(tmpdir(), 'hf-'));
  const token = 'test-token-test-token-test-token-test-token';
  const secret = (name: string, key: string, text: string): void => {
    mkdirSync(join(folder, 'secrets', name), { recursive: true });
    writeFileSync(join(folder, 'secrets', name, key), text, { mode: 0o600 });
  };
  secret('postgres', 'url', options.databaseUrl);
  const hasRedis = options.redisUrl !== undefined;
  if (hasRedis) secret('redis', 'url', options.redisUrl);
  const swap = (policy: KitPolicy): void => {
    writeFileSync(join(folder, 'policy.new'), policyText(policy, hasRedis));
    renameSync(join(folder, 'policy.new'), join(folder, 'policy.yaml'));
  };
  swap(options);
  writeFileSync(join(folder, 'token'), token, { mode: 0o600 });
  const env = {
    HOLDFAST_SOCKET: join(folder, 's.sock'),
    HOLDFAST_PORT: '0',
    HOLDFAST_HTTP_PORT: '0',
    HOLDFAST_TOKEN_FILE: join(folder, 'token'),
    HOLDFAST_POLICY_FILE: join(folder, 'policy.yaml'),
    HOLDFAST_SECRETS_DIR: join(folder, 'secrets'),
    HOLDFAST_LOG_LEVEL: 'error',
    ...(options.redisUrl === undefined ? { REDIS_URL: 'off' } : {}),
    ...options.env,
  };
  const settings = readSettings(env);
  const app = await startApp(settings, {
    clock: systemClock,
    random: Math.random,
    log: makeLogger(settings.logLevel, 'test'),
    reread: () => readSettings(env),
  });
  return {
    app,
    address: `unix:${join(folder, 's.sock')}`,
    tcpAddress: `127.0.0.1:${app.port}`,
    token,
    folder,
    swap,
    secret,
    stop: async (graceMs = 5_000) => {
      await app.stop(graceMs);
      if (options.folder === undefined) rmSync(folder, { recursive: true, force: true });
    },
  };
}

function policyText(
  { postgres, morePostgres = [], redis, locks, targets = [], shadow }: KitPolicy,
  hasRedis: boolean,
): string {
  const manifest = (name: string, spec: object): string =>
    stringify({
      apiVersion: 'resilience.holdfast.dev/v1alpha1',
      kind: 'ResiliencePolicy',
      metadata: { name },
      spec,
    });
  const secretRef = (name: string): object => ({ secretRef: { name, key: 'url' } });
  const spec = {
    postgres: [
      { name: 'default', ...secretRef('postgres'), ...postgres },
      ...morePostgres.map((each) => ({ ...secretRef('postgres'), ...each })),
    ],
    ...(hasRedis ? { redis: [{ name: 'default', ...secretRef('redis'), ...redis }] } : {}),
    ...(locks === undefined ? {} : { locks }),
    targets,
  };
  const rehearsed =
    shadow === undefined ? [] : [manifest('shadow', { mode: 'Shadow', targets: shadow })];
  return [manifest('test', spec), ...rehearsed].join('---\n');
}

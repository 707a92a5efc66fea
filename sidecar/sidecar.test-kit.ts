import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { systemClock } from '../platform/clock.ts';
import { makeLogger } from '../platform/logger.ts';
import { startApp, type App } from './app.ts';
import { readSettings } from './config.ts';

interface KitOptions {
  readonly databaseUrl: string;
  /** Absent: REDIS_URL=off. */
  readonly redisUrl?: string;
  /** Fields of spec.postgres[0], as a policy has them: `{ pool: { max: 40 }, statementTimeoutMs: 1000 }`. */
  readonly postgres?: object;
  /** Fields of spec.redis[0]. */
  readonly redis?: object;
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
  stop(graceMs?: number): Promise<void>;
}

/** A sidecar in this process, on real servers, with settings that came the way a user's do. */
export async function startSidecar(options: KitOptions): Promise<TestSidecar> {
  const folder = options.folder ?? mkdtempSync(join(tmpdir(), 'hf-'));
  const token = 'test-token-test-token-test-token-test-token';
  const secret = (name: string, url: string): void => {
    mkdirSync(join(folder, 'secrets', name), { recursive: true });
    writeFileSync(join(folder, 'secrets', name, 'url'), url, { mode: 0o600 });
  };
  secret('postgres', options.databaseUrl);
  if (options.redisUrl !== undefined) secret('redis', options.redisUrl);
  const policy = {
    apiVersion: 'resilience.holdfast.dev/v1alpha1',
    kind: 'ResiliencePolicy',
    metadata: { name: 'test' },
    spec: {
      postgres: [
        { name: 'default', secretRef: { name: 'postgres', key: 'url' }, ...options.postgres },
      ],
      ...(options.redisUrl === undefined
        ? {}
        : {
            redis: [
              { name: 'default', secretRef: { name: 'redis', key: 'url' }, ...options.redis },
            ],
          }),
    },
  };
  writeFileSync(join(folder, 'policy.yaml'), stringify(policy));
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
    stop: async (graceMs = 5_000) => {
      await app.stop(graceMs);
      if (options.folder === undefined) rmSync(folder, { recursive: true, force: true });
    },
  };
}

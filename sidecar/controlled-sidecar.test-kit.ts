import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../platform/clock.ts';
import { makeLogger } from '../platform/logger.ts';
import { startApp, type App } from './app.ts';
import { readSettings } from './config.ts';
import { inspectPolicies } from './policies.test-kit.ts';
import { certificate } from './redis/tls-certificate.test-kit.ts';

export interface ControlledSidecar {
  readonly app: App;
  /** For clients: `unix:…`. */
  readonly address: string;
  readonly folder: string;
  /** Policies.Inspect */
  inspect(): ReturnType<typeof inspectPolicies>;
  /** A line of `/metrics`. */
  metric(line: RegExp): Promise<string | undefined>;
  /** Stops it; its folder stays. */
  stop(): Promise<void>;
}

/** Folder of a pod: sockets, state, secrets and the token. */
export function podFolder(): { readonly path: string } & Disposable {
  const path = mkdtempSync(join(tmpdir(), 'hf-'));
  for (const name of ['state', 'secrets']) mkdirSync(join(path, name));
  writeFileSync(join(path, 'token'), 'token-1\n');
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

/** Mounts a secret. */
export function mountSecret(folder: string, name: string, key: string, text: string): void {
  mkdirSync(join(folder, 'secrets', name), { recursive: true });
  writeFileSync(join(folder, 'secrets', name, key), text, { mode: 0o600 });
}

interface Trust {
  /** PEM. */
  readonly ca?: string;
  readonly serverName?: string;
}

/** A sidecar in this process, as injected into a pod: its policies come from the controller at `controller`. */
export async function startControlledSidecar(
  folder: string,
  controller: string,
  { ca = certificate, serverName = 'localhost' }: Trust = {},
): Promise<ControlledSidecar> {
  const socket = join(folder, 's.sock');
  const env = {
    HOLDFAST_SOCKET: socket,
    HOLDFAST_HTTP_PORT: '0',
    HOLDFAST_STATE_DIR: join(folder, 'state'),
    HOLDFAST_SECRETS_DIR: join(folder, 'secrets'),
    HOLDFAST_CONTROLLER: controller,
    HOLDFAST_CONTROLLER_CA: ca,
    HOLDFAST_CONTROLLER_NAME: serverName,
    HOLDFAST_CONTROLLER_TOKEN_FILE: join(folder, 'token'),
    HOLDFAST_LOG_LEVEL: 'fatal',
  };
  const settings = readSettings(env);
  const app = await startApp(settings, {
    clock: systemClock,
    random: Math.random,
    log: makeLogger(settings.logLevel, 'test'),
    reread: (given) => readSettings(env, undefined, given),
  });
  const address = `unix:${socket}`;
  return {
    app,
    address,
    folder,
    inspect: () => inspectPolicies(address),
    metric: async (line) => {
      const text = await (await fetch(`http://127.0.0.1:${app.httpPort}/metrics`)).text();
      return text.split('\n').find((each) => line.test(each));
    },
    stop: () => app.stop(2_000),
  };
}

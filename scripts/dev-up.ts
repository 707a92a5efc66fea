/** `./dev up`: PostgreSQL, Redis and the sidecar on one machine, until somebody stops them. */
import type { ChildProcess } from 'node:child_process';
import { realpathSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { readSettings } from '../sidecar/config.ts';
import { migrate } from '../sidecar/postgres/migrate.ts';
import { interruption } from './dev/interruption.ts';
import { step } from './dev/progress.ts';
import { howItEnded, startSidecar } from './dev/sidecar-process.ts';
import { holdAlone } from './dev/single-run.ts';
import { snippets } from './dev/snippets.ts';
import { openStateFolder, tokenIn, writeSecret } from './dev/state-folder.ts';
import type { StateFolder } from './dev/state-folder.ts';
import { installRedis } from './dev/system-package.ts';
import { freePort } from './servers/free-port.ts';
import { startPostgres } from './servers/postgres.ts';
import { installRedisLine, redisProgram, startRedis } from './servers/redis.ts';

/** What the run is made of, in the order in which it was started. */
interface Run {
  readonly stack: AsyncDisposableStack;
  /** Resolves with a sentence when a part dies. */
  readonly death: PromiseWithResolvers<string>;
  readonly signal: AbortSignal;
  readonly state: StateFolder;
}

const checkout = fileURLToPath(new URL('..', import.meta.url)).replace(/\/$/, '');
const { values: options } = parseArgs({ options: { folder: { type: 'string' } } });
const folder = resolve(options.folder ?? join(checkout, '.holdfast'));

const interrupted = interruption();
try {
  const cause = await up(interrupted);
  if (cause !== undefined) throw new Error(cause);
} catch (error) {
  if (!interrupted.aborted) {
    console.error(`dev up: ${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = 1;
  }
}
process.exit();

/** Runs until it is interrupted, or until a part dies: then the result says which. */
async function up(signal: AbortSignal): Promise<string | undefined> {
  const state = openStateFolder(folder);
  await using stack = new AsyncDisposableStack();
  stack.use(await holdAlone(`holdfast-up:${realpathSync(folder)}`));
  const run: Run = { stack, death: Promise.withResolvers(), signal, state };
  for (const note of state.notes) console.log(note);
  checkGivenUrls();

  const databaseUrl = await database(run);
  await step(
    'bringing schema holdfast up to date',
    () => migrate(databaseUrl),
    ({ from, to }) => (from === to ? `at version ${to}` : `from version ${from} to ${to}`),
  );
  signal.throwIfAborted();
  const redisUrl = await redis(run);
  signal.throwIfAborted();
  writeSecret(state.secretsDir, 'postgres', 'url', databaseUrl);
  writeSecret(state.secretsDir, 'redis', 'url', redisUrl);
  const port = await sidecar(run, redisUrl);

  const tcp = `127.0.0.1:${port}`;
  console.log(`
ready

socket  unix:${state.socket}
tcp     ${tcp}
token   ${tokenIn(state.tokenFile)}
log     ${state.sidecarLog}
redis   ${redisUrl === 'off' ? 'off: calls of holdfast.v1.Redis answer REDIS_OFF' : 'on'}

${snippets({ socket: state.socket, tcp, tokenFile: state.tokenFile })}
Ctrl-C stops all of it.`);

  return await Promise.race([run.death.promise, untilAborted(signal)]);
}

/** The sidecar would refuse them too, but only after everything else has been started. */
function checkGivenUrls(): void {
  const { DATABASE_URL, REDIS_URL } = process.env;
  readSettings({
    DATABASE_URL: DATABASE_URL ?? 'postgres://anybody@127.0.0.1/anything',
    REDIS_URL: REDIS_URL ?? 'off',
  });
}

async function database({ stack, death, state }: Run): Promise<string> {
  const given = process.env['DATABASE_URL'];
  if (given !== undefined) {
    console.log('PostgreSQL: the one that DATABASE_URL names');
    return given;
  }
  const server = await step(
    'starting PostgreSQL',
    () => startPostgres({ dataDir: state.postgresDir }),
    ({ port }) => `127.0.0.1:${port}`,
  );
  stack.defer(() => server.stop());
  watch('PostgreSQL', server.process, `see ${join(state.postgresDir, 'postgres.log')}`, death);
  return server.url;
}

async function redis({ stack, death, signal, state }: Run): Promise<string> {
  const given = process.env['REDIS_URL'];
  if (given !== undefined) {
    console.log(given === 'off' ? 'Redis: off' : 'Redis: the one that REDIS_URL names');
    return given;
  }
  if (redisProgram() === undefined) {
    await step(
      'installing Redis from the system packages',
      () => installRedis(signal),
      (done) => (done ? 'done' : 'not possible here'),
    );
    signal.throwIfAborted();
  }
  if (redisProgram() === undefined) {
    console.log(`there is no Redis on this machine; to have one, type: ${installRedisLine}`);
    return 'off';
  }
  const server = await step(
    'starting Redis',
    () => startRedis({ dataDir: state.redisDir }),
    ({ port }) => `127.0.0.1:${port}`,
  );
  stack.defer(() => server.stop());
  watch('Redis', server.process, `see ${join(state.redisDir, 'redis.log')}`, death);
  return server.url;
}

async function sidecar({ stack, death, signal, state }: Run, redisUrl: string): Promise<number> {
  const port = Number(process.env['HOLDFAST_PORT'] ?? (await freePort()));
  const httpPort = Number(process.env['HOLDFAST_HTTP_PORT'] ?? (await freePort()));
  tokenIn(state.tokenFile);
  const started = await step('starting the sidecar', () =>
    startSidecar(
      {
        checkout,
        httpPort,
        logFile: state.sidecarLog,
        settings: {
          // The policy names a secret for each; only `off` is a setting.
          DATABASE_URL: undefined,
          REDIS_URL: redisUrl === 'off' ? redisUrl : undefined,
          HOLDFAST_SOCKET: state.socket,
          HOLDFAST_PORT: String(port),
          HOLDFAST_HTTP_PORT: String(httpPort),
          HOLDFAST_TOKEN_FILE: state.tokenFile,
          HOLDFAST_POLICY_FILE: join(checkout, 'examples/policies/default.yaml'),
          HOLDFAST_SECRETS_DIR: state.secretsDir,
          HOLDFAST_STATE_DIR: state.stateDir,
        },
      },
      signal,
    ),
  );
  stack.defer(() => started.stop());
  watch('the sidecar', started.process, `see ${state.sidecarLog}`, death);
  return port;
}

function watch(
  name: string,
  child: ChildProcess,
  where: string,
  death: PromiseWithResolvers<string>,
): void {
  child.once('exit', () => death.resolve(`${name} died (${howItEnded(child)}), ${where}`));
}

function untilAborted(signal: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(undefined);
    signal.addEventListener('abort', () => resolve(undefined), { once: true });
  });
}

/** `./dev up`: PostgreSQL, Redis and the sidecar on one machine, until somebody stops them. */
import type { ChildProcess } from 'node:child_process';
import { realpathSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import {
  diskFile,
  readSettings,
  type PostgresConnection,
  type Settings,
} from '../sidecar/config.ts';
import { migrate } from '../sidecar/postgres/migrate.ts';
import { urlPostgres } from '../sidecar/settings/targets.ts';
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

const usage = `usage: ./dev up [--folder DIR]

PostgreSQL, Redis and the sidecar on this machine, until Ctrl-C.

  --folder DIR          where data, socket and token are kept; .holdfast/ of the checkout by default

  DATABASE_URL          a PostgreSQL to use instead of starting one
  REDIS_URL             a Redis to use instead of starting one; off for none
  HOLDFAST_PORT         TCP port of gRPC; any free one by default
  HOLDFAST_HTTP_PORT    port of /livez, /readyz and /metrics; any free one by default

What else docs/settings.md lists reaches the sidecar too, but for the socket, the token, and files and folders that it has here.
`;

const checkout = fileURLToPath(new URL('..', import.meta.url)).replace(/\/$/, '');
const folder = resolve(folderOption() ?? join(checkout, '.holdfast'));

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
  const settings = checkSettings(state);

  const databaseUrl = await database(run);
  await step(
    'bringing schema holdfast up to date',
    () => migrate(connectionTo(databaseUrl)).catch(unusable),
    ({ from, to }) => (from === to ? `at version ${to}` : `from version ${from} to ${to}`),
  );
  signal.throwIfAborted();
  const redisUrl = await redis(run);
  signal.throwIfAborted();
  writeSecret(state.secretsDir, 'postgres', 'url', databaseUrl);
  writeSecret(state.secretsDir, 'redis', 'url', redisUrl);
  const { port, httpPort } = await sidecar(run, redisUrl, settings);

  const tcp = `127.0.0.1:${port}`;
  console.log(`
ready

socket  unix:${state.socket}
tcp     ${tcp}
token   ${tokenIn(state.tokenFile)}
http    http://127.0.0.1:${httpPort} (/livez, /readyz, /metrics)
log     ${state.sidecarLog}
redis   ${redisUrl === 'off' ? 'off: calls of holdfast.v1.Redis answer REDIS_OFF' : 'on'}

${snippets({ socket: state.socket, tcp, tokenFile: state.tokenFile })}
Ctrl-C stops all of it.`);

  return await Promise.race([run.death.promise, untilAborted(signal)]);
}

/** Where the data are to be kept, if that was said. Ends the program when it was asked for help, or for what it cannot do. */
function folderOption(): string | undefined {
  try {
    const { values } = parseArgs({
      options: { folder: { type: 'string' }, help: { type: 'boolean', short: 'h' } },
    });
    if (values.help !== true) return values.folder;
    process.stdout.write(usage);
    process.exit(0);
  } catch (error) {
    console.error(
      `${error instanceof Error ? error.message : String(error)}\n\n${usage.trimEnd()}`,
    );
    process.exit(2);
  }
}

/** What the sidecar is given whatever the environment says. */
function ownSettings(state: StateFolder): Readonly<Record<string, string>> {
  return {
    HOLDFAST_SOCKET: state.socket,
    HOLDFAST_HOST: '127.0.0.1',
    HOLDFAST_TOKEN_FILE: state.tokenFile,
    HOLDFAST_POLICY_FILE: join(checkout, 'examples/policies/default.yaml'),
    HOLDFAST_SECRETS_DIR: state.secretsDir,
    HOLDFAST_STATE_DIR: state.stateDir,
  };
}

/** The sidecar would refuse what is wrong too, but only after everything else has been started. */
function checkSettings(state: StateFolder): Settings {
  tokenIn(state.tokenFile);
  const { DATABASE_URL, REDIS_URL, HOLDFAST_PORT, HOLDFAST_HTTP_PORT } = process.env;
  return readSettings({
    ...process.env,
    ...ownSettings(state),
    // Its secrets are not written yet.
    HOLDFAST_POLICY_FILE: undefined,
    DATABASE_URL: DATABASE_URL ?? 'postgres://anybody@127.0.0.1/anything',
    REDIS_URL: REDIS_URL ?? 'off',
    HOLDFAST_PORT: HOLDFAST_PORT ?? '0',
    HOLDFAST_HTTP_PORT: HOLDFAST_HTTP_PORT ?? '0',
  });
}

function connectionTo(databaseUrl: string): PostgresConnection {
  return urlPostgres(databaseUrl, { secretsDir: '', readFile: diskFile }).connection;
}

function unusable(error: unknown): never {
  // What failed at each address of a name has a code and no message.
  const { message, code } = error as NodeJS.ErrnoException;
  throw new Error(`the database cannot be used: ${message === '' ? code : message}`, {
    cause: error,
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

async function sidecar(
  { stack, death, signal, state }: Run,
  redisUrl: string,
  { server }: Settings,
): Promise<{ port: number; httpPort: number }> {
  const port = server.tcp?.port || (await freePort());
  const httpPort = server.httpPort || (await freePort());
  const started = await step('starting the sidecar', () =>
    startSidecar(
      {
        checkout,
        httpPort,
        logFile: state.sidecarLog,
        settings: {
          ...ownSettings(state),
          // The policy names a secret for each; only `off` is a setting.
          DATABASE_URL: undefined,
          REDIS_URL: redisUrl === 'off' ? redisUrl : undefined,
          HOLDFAST_PORT: String(port),
          HOLDFAST_HTTP_PORT: String(httpPort),
        },
      },
      signal,
    ),
  );
  stack.defer(() => started.stop());
  watch('the sidecar', started.process, `see ${state.sidecarLog}`, death);
  return { port, httpPort };
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

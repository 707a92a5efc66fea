import type { Clock } from '../platform/clock.ts';
import { makeLogger } from '../platform/logger.ts';
import { version } from '../platform/version.ts';
import { type App, startApp } from './app.ts';
import { readSettings, SettingsError, type Settings } from './config.ts';

/** EX_CONFIG of sysexits.h: trying again changes nothing until somebody mends a setting. */
const exitConfig = 78;

const help = `holdfast controller ${version}

usage: controller                  serve until SIGTERM
       controller --check-config   read the settings, say what is wrong with them, and exit
       controller --version
       controller --help

Settings come from the environment; docs/controller-settings.md lists them.
Exit codes: 0 stopped as asked, 78 a setting is missing or wrong, 1 anything else.
`;

interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** What the process may take in all; undefined when nothing says. */
  readonly memoryBytes: number | undefined;
  readonly clock: Clock;
  readonly random: () => number;
}

/** The controller's process, from its arguments to its exit code. */
export async function run(args: readonly string[], surroundings: Surroundings): Promise<void> {
  const [command, ...rest] = args;
  if (
    rest.length > 0 ||
    (command !== undefined && !['--check-config', '--version', '--help'].includes(command))
  ) {
    process.stderr.write(`unknown arguments: ${args.join(' ')}\n\n${help}`);
    process.exitCode = 64;
  } else if (command === '--help') {
    process.stdout.write(help);
  } else if (command === '--version') {
    process.stdout.write(`${version}\n`);
  } else {
    const settings = settingsOrExit(surroundings.env);
    if (command === '--check-config') process.stdout.write('settings are fine\n');
    else await serve(settings, surroundings);
  }
}

function settingsOrExit(env: Surroundings['env']): Settings {
  try {
    return readSettings(env);
  } catch (thrown) {
    if (!(thrown instanceof SettingsError)) throw thrown;
    process.stderr.write(`${thrown.message}\n`);
    process.exit(exitConfig);
  }
}

async function serve(
  settings: Settings,
  { memoryBytes, clock, random }: Surroundings,
): Promise<void> {
  const log = makeLogger(settings.logLevel, 'controller');
  process.on('unhandledRejection', (reason) =>
    log.error({ err: reason }, 'a rejection that nobody handles'),
  );
  const running: { app?: App } = {};
  let stopping = false;
  const stop = (signal: string): void => {
    if (stopping) process.exit(1);
    stopping = true;
    log.info({ signal, graceMs: settings.graceMs }, 'stopping');
    // It may wait for an API server that does not answer, and has nothing yet to bring to an end.
    if (running.app === undefined) process.exit(0);
    running.app.stop(settings.graceMs).then(
      () => process.exit(0),
      (error: unknown) => {
        log.error({ err: error }, 'stopping failed');
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  running.app = await startApp(settings, { clock, random, log, memoryBytes }).catch(
    (thrown: unknown) => {
      log.fatal({ err: thrown }, 'the controller cannot start');
      process.exit(1);
    },
  );
}

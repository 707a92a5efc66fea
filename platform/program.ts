import { HoldfastError } from './errors.ts';
import { makeLogger, type Logger } from './logger.ts';
import { version } from './version.ts';

/** EX_CONFIG of sysexits.h: trying again changes nothing until somebody mends a setting. */
const exitConfig = 78;

/** What every program is told from outside. */
interface ProgramSettings {
  readonly logLevel: Parameters<typeof makeLogger>[0];
  /** How long it may take to stop after SIGTERM. */
  readonly graceMs: number;
}

interface Running {
  /** Ends within so long. */
  stop(graceMs: number): Promise<void>;
}

/** A program that serves until it is told to stop. */
export interface Program<Settings extends ProgramSettings> {
  /** As it is called on the command line. */
  readonly name: string;
  /** Where its settings come from: a sentence of its help. */
  readonly settingsHelp: string;
  readonly readSettings: () => Settings;
  /** Whether what `readSettings` threw is for whoever wrote the settings. */
  readonly isSettingsError: (thrown: unknown) => thrown is Error;
  readonly start: (settings: Settings, log: Logger) => Promise<Running>;
}

const helpOf = ({ name, settingsHelp }: Pick<Program<never>, 'name' | 'settingsHelp'>): string => {
  const indent = ' '.repeat('usage: '.length);
  const column = `${name} --check-config`.length + 3;
  return `holdfast ${name} ${version}

usage: ${name.padEnd(column)}serve until SIGTERM
${indent}${`${name} --check-config`.padEnd(column)}read the settings, say what is wrong with them, and exit
${indent}${name} --version
${indent}${name} --help

${settingsHelp}
Exit codes: 0 stopped as asked, 78 a setting is missing or wrong, 1 anything else.
`;
};

/** A process, from its arguments to its exit code. */
export async function runProgram<Settings extends ProgramSettings>(
  args: readonly string[],
  program: Program<Settings>,
): Promise<void> {
  const [command, ...rest] = args;
  if (
    rest.length > 0 ||
    (command !== undefined && !['--check-config', '--version', '--help'].includes(command))
  ) {
    process.stderr.write(`unknown arguments: ${args.join(' ')}\n\n${helpOf(program)}`);
    process.exitCode = 64;
  } else if (command === '--help') {
    process.stdout.write(helpOf(program));
  } else if (command === '--version') {
    process.stdout.write(`${version}\n`);
  } else {
    const settings = settingsOrExit(program);
    if (command === '--check-config') process.stdout.write('settings are fine\n');
    else await serve(settings, program);
  }
}

function settingsOrExit<Settings extends ProgramSettings>({
  readSettings,
  isSettingsError,
}: Program<Settings>): Settings {
  try {
    return readSettings();
  } catch (thrown) {
    if (!isSettingsError(thrown)) throw thrown;
    process.stderr.write(`${thrown.message}\n`);
    process.exit(exitConfig);
  }
}

async function serve<Settings extends ProgramSettings>(
  settings: Settings,
  { name, start }: Program<Settings>,
): Promise<void> {
  const log = makeLogger(settings.logLevel, name);
  process.on('unhandledRejection', (reason) =>
    log.error({ err: reason }, 'a rejection that nobody handles'),
  );
  const running: { app?: Running } = {};
  let stopping = false;
  const stop = (signal: string): void => {
    if (stopping) process.exit(1);
    stopping = true;
    log.info({ signal, graceMs: settings.graceMs }, 'stopping');
    // It may wait for a server that does not answer, and has nothing yet to bring to an end.
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
  running.app = await start(settings, log).catch((thrown: unknown) => {
    const why = thrown instanceof HoldfastError ? thrown.message : `the ${name} cannot start`;
    log.fatal({ err: thrown }, why);
    process.exit(1);
  });
}

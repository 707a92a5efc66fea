import type { Clock } from '../platform/clock.ts';
import { runProgram } from '../platform/program.ts';
import { startApp } from './app.ts';
import { readSettings, SettingsError } from './config.ts';

interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** What the process may take in all; undefined when nothing says. */
  readonly memoryBytes: number | undefined;
  readonly clock: Clock;
  readonly random: () => number;
}

/** The controller's process, from its arguments to its exit code. */
export const run = (
  args: readonly string[],
  { env, memoryBytes, clock, random }: Surroundings,
): Promise<void> =>
  runProgram(args, {
    name: 'controller',
    settingsHelp: 'Settings come from the environment; docs/controller-settings.md lists them.',
    readSettings: () => readSettings(env),
    isSettingsError: (thrown) => thrown instanceof SettingsError,
    start: (settings, log) => startApp(settings, { clock, random, log, memoryBytes }),
  });

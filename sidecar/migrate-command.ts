import { parseArgs } from 'node:util';
import { readSettings, SettingsError } from './config.ts';
import { migrate, migrationScript } from './postgres/migrate.ts';

const help = `usage: holdfast migrate [--print]

Brings schema holdfast up to date in the database of DATABASE_URL, or of every pool of HOLDFAST_POLICY_FILE, one after the other. The role needs the right to
create a schema. Any number may run at once; a database that is up to date is left alone.

  --print   write the SQL to standard output instead, for somebody who has that right
  --help
`;

/** \`holdfast migrate\`: resolves with the exit code: 0, 64 for unknown arguments, 78 for settings that are missing or wrong, 1 for anything else. */
export async function migrateCommand(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Promise<number> {
  const options = readArguments(args);
  if (options === undefined) {
    process.stderr.write(`unknown arguments: ${args.join(' ')}\n\n${help}`);
    return 64;
  }
  if (options.help) {
    process.stdout.write(help);
    return 0;
  }
  if (options.print) {
    process.stdout.write(migrationScript());
    return 0;
  }
  try {
    // Redis has no schema: nobody has to say where it is.
    const { postgres } = readSettings({ ...env, REDIS_URL: 'off' });
    for (const { name, connection } of postgres) {
      const { from, to } = await migrate(connection).catch((cause: unknown) => {
        const why = cause instanceof Error ? cause.message : String(cause);
        throw new Error(`database of pool "${name}": ${why}`, { cause });
      });
      const what = from === to ? `is at version ${to}` : `from version ${from} to ${to}`;
      process.stdout.write(`database of pool "${name}": schema holdfast ${what}\n`);
    }
    return 0;
  } catch (thrown) {
    process.stderr.write(`${thrown instanceof Error ? thrown.message : String(thrown)}\n`);
    return thrown instanceof SettingsError ? 78 : 1;
  }
}

function readArguments(
  args: readonly string[],
): { readonly print: boolean; readonly help: boolean } | undefined {
  try {
    return parseArgs({
      args: [...args],
      options: {
        print: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    }).values;
  } catch {
    return undefined;
  }
}

import { HoldfastError } from '../../../platform/errors.ts';
import { type CommandRule, commandRule, refusalOf } from '../../redis/command-rules.ts';

const mostWords = 1_048_576;
const mostBytes = 64 * 1024 * 1024;
const mostCommands = 10_000;

/** What is known of the command. Throws INVALID_REQUEST, or COMMAND_REFUSED. */
export function checkCommand(args: readonly Buffer[]): CommandRule {
  const name = args[0];
  if (name === undefined || name.length === 0) {
    throw invalid('args must begin with the name of a command');
  }
  const rule = commandRule(name);
  const refusal = refusalOf(rule, args);
  if (refusal !== undefined) throw new HoldfastError('invalid', 'COMMAND_REFUSED', refusal);
  if (args.length > mostWords) {
    throw invalid(`args has ${args.length} entries; at most ${mostWords}`);
  }
  if (bytesOf(args) > mostBytes) throw invalid(`args has more than ${mostBytes} bytes`);
  return rule;
}

/** All commands are looked at before the first is sent: one that is refused stops all of them. */
export function checkPipeline(
  commands: readonly { readonly args: readonly Buffer[] }[],
): CommandRule[] {
  if (commands.length > mostCommands) {
    throw invalid(`commands has ${commands.length} entries; at most ${mostCommands}`);
  }
  let bytes = 0;
  return commands.map(({ args }, index) => {
    bytes += bytesOf(args);
    if (bytes > mostBytes) throw invalid(`commands has more than ${mostBytes} bytes`);
    try {
      return checkCommand(args);
    } catch (thrown) {
      const { kind, reason, message } = HoldfastError.from(thrown);
      throw new HoldfastError(kind, reason, `commands[${index}]: ${message}; nothing was sent`, {
        cause: thrown,
      });
    }
  });
}

function bytesOf(args: readonly Buffer[]): number {
  let bytes = 0;
  for (const { length } of args) bytes += length;
  return bytes;
}

const invalid = (message: string): HoldfastError =>
  new HoldfastError('invalid', 'INVALID_REQUEST', message);

import { HoldfastError } from '../../../platform/errors.ts';
import {
  type CommandRule,
  commandRule,
  mayBlock,
  refusalOf,
  scriptRefusal,
} from '../../redis/command-rules.ts';
import type { Script } from '../../redis/script.ts';

const mostWords = 1_048_576;
const mostBytes = 64 * 1024 * 1024;
const mostCommands = 10_000;
const mostScriptBytes = 1024 * 1024;

/** What is known of the command. Throws INVALID_REQUEST, or COMMAND_REFUSED. */
export function checkCommand(args: readonly Buffer[]): CommandRule {
  const name = args[0];
  if (name === undefined || name.length === 0) {
    throw invalid('args must begin with the name of a command');
  }
  const rule = commandRule(name);
  const refusal = refusalOf(rule, args) ?? bodyRefusal(rule, args);
  if (refusal !== undefined) throw refused(refusal);
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
      const rule = checkCommand(args);
      if (mayBlock(rule, args)) throw refused(`${rule.name} is refused in a pipeline: ${alone}`);
      return rule;
    } catch (thrown) {
      const { kind, reason, message } = HoldfastError.from(thrown);
      throw new HoldfastError(kind, reason, `commands[${index}]: ${message}; nothing was sent`, {
        cause: thrown,
      });
    }
  });
}

const alone = 'it may block, and then needs a connection of its own: send it by itself';

/** Throws INVALID_REQUEST, or COMMAND_REFUSED. */
export function checkScript({ body, keys, args, operationId }: Script): void {
  if (body === '') throw invalid('body is empty');
  if (Buffer.byteLength(body) > mostScriptBytes) {
    throw invalid(`body has more than ${mostScriptBytes} bytes`);
  }
  if (keys.length + args.length > mostWords - 3) {
    throw invalid(`keys and args have more than ${mostWords - 3} entries`);
  }
  if (bytesOf(keys) + bytesOf(args) > mostBytes) {
    throw invalid(`keys and args have more than ${mostBytes} bytes`);
  }
  if (!/^[A-Za-z0-9._:-]{0,128}$/.test(operationId)) {
    throw invalid('operation_id must be 1 to 128 letters, digits, `.`, `_`, `:` or `-`');
  }
  const refusal = scriptRefusal(body);
  if (refusal !== undefined) throw refused(refusal);
}

/** Of a script that is an argument of the command itself. */
function bodyRefusal({ name }: CommandRule, args: readonly Buffer[]): string | undefined {
  const body =
    name === 'EVAL' || name === 'EVAL_RO'
      ? args[1]
      : name === 'SCRIPT' || name === 'FUNCTION'
        ? args.at(-1)
        : undefined;
  return body === undefined ? undefined : scriptRefusal(body.toString('latin1'));
}

const refused = (message: string): HoldfastError =>
  new HoldfastError('invalid', 'COMMAND_REFUSED', message);

function bytesOf(args: readonly Buffer[]): number {
  let bytes = 0;
  for (const { length } of args) bytes += length;
  return bytes;
}

const invalid = (message: string): HoldfastError =>
  new HoldfastError('invalid', 'INVALID_REQUEST', message);

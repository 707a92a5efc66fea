import type { Framing, MessageName } from './framer.ts';

/** Of the text of a message. */
const maxTextCharacters = 200;

/** Leaves of a message that are looked at for its text. */
const maxLeaves = 50;

/** What follows the line of an element, by its first character. */
const replyTypes: Readonly<Record<string, string>> = {
  '+': 'simple',
  '-': 'error',
  ':': 'integer',
  $: 'bulk',
  '*': 'array',
  _: 'null',
  '#': 'boolean',
  ',': 'double',
  '(': 'number',
  '!': 'bulk-error',
  '=': 'verbatim',
  '%': 'map',
  '~': 'set',
  '>': 'push',
  '|': 'attribute',
};

const bulks = '$!=';
const aggregates = '*~>';
/** Of two elements each; an attribute is followed by what it belongs to. */
const pairs = '%|';
const longestLine = 64 * 1024;

/** Commands of a client, as arrays of bulk strings or inline: the type is the name in upper case, the text its arguments. */
export const redisCommands = (): Framing => ({
  ...scanner(true),
  seen: () => {},
  describe: (bytes) => {
    const words =
      bytes[0] === star ? leaves(bytes) : bytes.toString('latin1', 0, 1_000).trim().split(/ +/);
    const [name = '', ...rest] = words;
    return { type: name.toUpperCase(), text: shortened(rest) };
  },
});

/** Replies of a server, RESP2 and RESP3: the type is the kind of reply, the text its leaves. */
export const redisReplies = (): Framing => ({
  ...scanner(false),
  seen: () => {},
  describe: (bytes): MessageName => ({
    type: replyTypes[String.fromCharCode(bytes[0] ?? 0)] ?? 'unknown',
    text: shortened(leaves(bytes)),
  }),
});

const star = 0x2a;
const lineFeed = 0x0a;

/** Counts elements that are still to come; a line may be spread over any number of chunks. */
function scanner(inlineAllowed: boolean): Pick<Framing, 'scan'> {
  let missing = 1;
  let skip = 0;
  let line = '';
  let atStart = true;

  const scan = (bytes: Buffer, from: number): number => {
    let at = from;
    while (at < bytes.length) {
      if (skip > 0) {
        const step = Math.min(skip, bytes.length - at);
        skip -= step;
        at += step;
        if (skip > 0) return -1;
      } else {
        const end = bytes.indexOf(lineFeed, at);
        line += bytes.toString('latin1', at, end === -1 ? bytes.length : end);
        if (end === -1 && line.length <= longestLine) return -1;
        if (end === -1) return Number.NaN;
        at = end + 1;
        const count = follows(line.trimEnd());
        line = '';
        if (count === undefined) return Number.NaN;
        atStart = false;
      }
      if (missing === 0 && skip === 0) {
        missing = 1;
        atStart = true;
        return at;
      }
    }
    return -1;
  };

  /** Takes the line of an element in; undefined when it is none. */
  function follows(text: string): true | undefined {
    const kind = text[0] ?? '';
    if (inlineAllowed && atStart && kind !== '*') {
      missing = 0;
      return true;
    }
    if (kind === '' || replyTypes[kind] === undefined) return undefined;
    missing -= 1;
    const counted = bulks.includes(kind) || aggregates.includes(kind) || pairs.includes(kind);
    if (!counted) return true;
    const count = Number(text.slice(1));
    if (!Number.isInteger(count) || text.length === 1) return undefined;
    if (bulks.includes(kind)) skip = count < 0 ? 0 : count + 2;
    else if (aggregates.includes(kind)) missing += Math.max(count, 0);
    else missing += 2 * count + (kind === '|' ? 1 : 0);
    return true;
  }

  return { scan };
}

/** The first leaves of a message in order; strings as they are. */
function leaves(bytes: Buffer): string[] {
  const found: string[] = [];
  let at = 0;
  while (at < bytes.length && found.length < maxLeaves) {
    const end = bytes.indexOf(lineFeed, at);
    if (end === -1) break;
    const kind = String.fromCharCode(bytes[at] as number);
    const text = bytes.toString('utf8', at + 1, end).trimEnd();
    at = end + 1;
    if (bulks.includes(kind)) {
      const length = Math.max(Number(text), 0);
      found.push(bytes.toString('utf8', at, at + Math.min(length, maxTextCharacters)));
      if (Number(text) >= 0) at += length + 2;
    } else if (!aggregates.includes(kind) && !pairs.includes(kind)) {
      found.push(text);
    }
  }
  return found;
}

const shortened = (words: readonly string[]): string => words.join(' ').slice(0, maxTextCharacters);

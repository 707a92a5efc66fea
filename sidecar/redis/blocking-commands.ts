/** How a command that may block says for how long. */
interface Shape {
  /** Where the time stands among the words; from the end when negative. */
  readonly at: number;
  readonly unit: 's' | 'ms';
}

const seconds = (at: number): Shape => ({ at, unit: 's' });
const shapes = new Map<string, Shape>([
  ['BLPOP', seconds(-1)],
  ['BRPOP', seconds(-1)],
  ['BRPOPLPUSH', seconds(-1)],
  ['BLMOVE', seconds(-1)],
  ['BZPOPMIN', seconds(-1)],
  ['BZPOPMAX', seconds(-1)],
  ['BLMPOP', seconds(1)],
  ['BZMPOP', seconds(1)],
  ['WAIT', { at: -1, unit: 'ms' }],
  ['WAITAOF', { at: -1, unit: 'ms' }],
]);

/** Commands that block whatever their arguments are, upper-case. */
export const blockingNames: readonly string[] = [...shapes.keys()];

/** For how long a command asks to block. */
export interface BlockingTime {
  readonly at: number;
  readonly unit: 's' | 'ms';
  /** In ms; Infinity for ever, NaN for what Redis will not take. */
  readonly waitMs: number;
}

/** Where and for how long `words` ask to block; undefined when they do not. `name` is that of the command, upper-case. */
export function blockingTime(name: string, words: readonly Buffer[]): BlockingTime | undefined {
  const shape = name.startsWith('XREAD') ? blockOption(words) : shapes.get(name);
  if (shape === undefined) return undefined;
  const at = shape.at < 0 ? words.length + shape.at : shape.at;
  const number = Number(words[at]?.toString('latin1') || Number.NaN);
  const ms = shape.unit === 's' ? number * 1_000 : number;
  return { at, unit: shape.unit, waitMs: ms === 0 ? Infinity : ms < 0 ? Number.NaN : ms };
}

/** The same words with another time, in ms, at least one. */
export function withBlockingTime(
  words: readonly Buffer[],
  { at, unit }: BlockingTime,
  waitMs: number,
): Buffer[] {
  const ms = Math.max(1, Math.floor(waitMs));
  return words.with(at, Buffer.from(unit === 's' ? (ms / 1_000).toFixed(3) : String(ms)));
}

/** Looks for BLOCK where XREAD and XREADGROUP take options: keys and names may be spelled so, too. */
function blockOption(words: readonly Buffer[]): Shape | undefined {
  for (let at = 1; at < words.length; at += 1) {
    switch (shortWord(words[at])) {
      case 'BLOCK':
        return { at: at + 1, unit: 'ms' };
      case 'STREAMS':
        return undefined;
      case 'COUNT':
        at += 1;
        break;
      case 'GROUP':
        at += 2;
        break;
      default:
    }
  }
  return undefined;
}

/** A word in upper case; empty when it is too long to be one that is known. */
export const shortWord = (word: Buffer | undefined): string =>
  word === undefined || word.length > 32 ? '' : word.toString('latin1').toUpperCase();

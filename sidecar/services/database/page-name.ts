import { HoldfastError } from '../../../platform/errors.ts';
import { invalid } from './statement-values.ts';

/** A table or view as a request names it. */
export interface TableName {
  /** Undefined: the search path decides. */
  readonly schema: string | undefined;
  readonly name: string;
}

/** PostgreSQL's names have 63 bytes; in another encoding than UTF-8 they may be that many characters. */
const mostNameCharacters = 63;
const mostShownCharacters = 63;

/**
 * Reads `table`, `schema.table`, and the same with parts in quotes: `"my.schema"."my.table"`, a quote inside doubled. A part without quotes is
 * taken as it is spelled. Throws INVALID_REQUEST.
 */
export function parseTableName(text: string): TableName {
  if (text === '') throw invalid('table is empty');
  const parts: string[] = [];
  let at = 0;
  for (;;) {
    const { part, end } = text[at] === '"' ? quotedPart(text, at) : plainPart(text, at);
    if (part === '') throw invalid('table has an empty part: it is `table` or `schema.table`');
    parts.push(part);
    if (end === text.length) break;
    if (parts.length === 2) {
      throw invalid(
        'table has more than two parts: it is `table` or `schema.table`; a part with a dot in it goes in quotes',
      );
    }
    at = end + 1;
  }
  const [first = '', second] = parts;
  return second === undefined
    ? { schema: undefined, name: first }
    : { schema: first, name: second };
}

interface Part {
  readonly part: string;
  /** Where the dot after it is, or the end of the text. */
  readonly end: number;
}

function plainPart(text: string, start: number): Part {
  const dot = text.indexOf('.', start);
  const end = dot === -1 ? text.length : dot;
  return { part: text.slice(start, end), end };
}

function quotedPart(text: string, start: number): Part {
  let part = '';
  let at = start + 1;
  for (;;) {
    const quote = text.indexOf('"', at);
    if (quote === -1) throw invalid('table has a quote that is never closed');
    part += text.slice(at, quote);
    at = quote + 1;
    if (text[at] !== '"') break;
    part += '"';
    at += 1;
  }
  if (at < text.length && text[at] !== '.') {
    throw invalid('table goes on after a closing quote: only a dot may follow');
  }
  return { part, end: at };
}

/** Whether PostgreSQL could have anything of this name; what it could not is never sent to it. */
export const canExist = (name: string): boolean =>
  name !== '' &&
  !name.includes('\0') &&
  name.isWellFormed() &&
  Array.from(name).length <= mostNameCharacters;

/** A name as an SQL identifier. Only for names that the catalogue gave. */
export const quoteIdentifier = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/** A request's name fit for a message: letters, digits and a few signs, at most 63 characters, in quotes. */
export function shownName(name: string): string {
  const characters = Array.from(name.slice(0, 2 * mostShownCharacters), (each) =>
    /^[\p{L}\p{N}_$.\- ]$/u.test(each) ? each : '?',
  );
  const short =
    characters.length <= mostShownCharacters
      ? characters
      : [...characters.slice(0, mostShownCharacters - 1), '…'];
  return `"${short.join('')}"`;
}

/** `field` says which field of the request holds the name. */
export const unknownIdentifier = (field: string, message: string): HoldfastError =>
  new HoldfastError('invalid', 'UNKNOWN_IDENTIFIER', message, { metadata: { field } });

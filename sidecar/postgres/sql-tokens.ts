/** Stands for a number that runs into the next word: versions of PostgreSQL disagree on where one ends and the other begins. */
export const unclear = '1a';

/**
 * Cuts SQL into words and signs, leaving out comments and the insides of literals: words in lower case, quoted names as `"name`, names with
 * Unicode escapes as `u&"`; for a literal `literal`, when it is given. Enough to recognise what a statement does; the server alone parses it.
 * https://www.postgresql.org/docs/current/sql-syntax-lexical.html
 */
export function* sqlTokens(sql: string, literal?: string): Generator<string> {
  let at = 0;
  while (at < sql.length) {
    const char = sql[at] as string;
    const skipped = skipBlank(sql, at) ?? skipQuoted(sql, at);
    if (skipped !== undefined) {
      if (char === '"') yield sql.slice(at, skipped - 1);
      else if (literal !== undefined && (char === "'" || char === '$')) yield literal;
      at = skipped;
      continue;
    }
    const number = match(numeral, sql, at);
    if (number !== '') {
      yield number;
      at += number.length;
      if (match(wordPart, sql, at) !== '') yield unclear;
      continue;
    }
    const found = match(word, sql, at);
    at += found.length || 1;
    if (found === '') {
      yield char;
    } else if (sql[at] === "'" && /^(?:e|b|x|n|u&)$/i.test(found)) {
      at = /^e$/i.test(found) ? skipEscapeString(sql, at) : skipString(sql, at, false);
      if (literal !== undefined) yield literal;
    } else if (found.endsWith('&')) {
      yield 'u&"';
      at = skipName(sql, at);
    } else {
      yield lowerCase(found);
    }
  }
}

// To PostgreSQL every character above ASCII is a letter.
const word = /u&(?=['"])|[a-z_\u0080-\uffff][\w$\u0080-\uffff]*/iy;
const wordPart = /[\w$\u0080-\uffff]/y;
const numeral = /0(?:x[\da-f_]+|[ob][0-7_]+)|\d[\d_]*(?:\.[\d_]*)?(?:e[+-]?\d[\d_]*)?/iy;
const dollarTag = /\$(?:[a-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$/iy;

function match(pattern: RegExp, sql: string, at: number): string {
  pattern.lastIndex = at;
  return pattern.exec(sql)?.[0] ?? '';
}

/** As the server does it: letters above ASCII stay as they are. */
const lowerCase = (text: string): string =>
  /[\u0080-\uffff]/.test(text) ? text : text.toLowerCase();

function skipBlank(sql: string, at: number): number | undefined {
  if (/[ \t\n\r\f\v]/.test(sql[at] as string)) return at + 1;
  if (sql.startsWith('--', at)) return skipLineComment(sql, at);
  return sql.startsWith('/*', at) ? skipBlockComment(sql, at) : undefined;
}

/** A carriage return ends it, too. */
function skipLineComment(sql: string, start: number): number {
  let at = start;
  while (at < sql.length && sql[at] !== '\n' && sql[at] !== '\r') at += 1;
  return at;
}

/** They nest. */
function skipBlockComment(sql: string, start: number): number {
  let depth = 0;
  let at = start;
  while (at < sql.length) {
    if (sql.startsWith('/*', at)) {
      depth += 1;
      at += 2;
    } else if (sql.startsWith('*/', at)) {
      depth -= 1;
      at += 2;
      if (depth === 0) return at;
    } else {
      at += 1;
    }
  }
  return at;
}

function skipQuoted(sql: string, at: number): number | undefined {
  if (sql[at] === "'") return skipString(sql, at, false);
  if (sql[at] === '"') return skipName(sql, at);
  const tag = match(dollarTag, sql, at);
  if (tag === '') return undefined;
  const stop = sql.indexOf(tag, at + tag.length);
  return stop === -1 ? sql.length : stop + tag.length;
}

function skipName(sql: string, start: number): number {
  const stop = sql.indexOf('"', start + 1);
  return stop === -1 ? sql.length : stop + 1;
}

/** A doubled quote needs no care: it reads as two strings side by side. */
function skipString(sql: string, start: number, escapes: boolean): number {
  let at = start + 1;
  while (at < sql.length && sql[at] !== "'") at += escapes && sql[at] === '\\' ? 2 : 1;
  return at + 1;
}

/** It goes on, with its escapes, in a string on a later line that only blanks and line comments part from it. */
function skipEscapeString(sql: string, start: number): number {
  let end = skipString(sql, start, true);
  let at = end;
  let newLine = false;
  while (at < sql.length) {
    if (sql[at] === "'" && (newLine || at === end)) {
      end = skipString(sql, at, true);
      at = end;
      newLine = false;
    } else if (sql.startsWith('--', at)) {
      at = skipLineComment(sql, at);
    } else if (/[ \t\n\r\f\v]/.test(sql[at] as string)) {
      newLine ||= sql[at] === '\n' || sql[at] === '\r';
      at += 1;
    } else {
      break;
    }
  }
  return end;
}

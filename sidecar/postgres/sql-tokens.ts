/**
 * Cuts SQL into words and signs, lower-case, leaving out comments and the insides of literals. Enough to recognise what a statement
 * does; the server alone parses it. https://www.postgresql.org/docs/current/sql-syntax-lexical.html
 */
export function* sqlTokens(sql: string): Generator<string> {
  let at = 0;
  while (at < sql.length) {
    const skipped = skipBlank(sql, at) ?? skipQuoted(sql, at);
    if (skipped !== undefined) {
      if (sql[at] === '"') yield '"';
      at = skipped;
      continue;
    }
    word.lastIndex = at;
    const found = word.exec(sql)?.[0];
    if (found === undefined) {
      yield sql[at] as string;
      at += 1;
    } else if (/^(?:e|b|x|n|u&)$/i.test(found) && sql[at + found.length] === "'") {
      at = skipString(sql, at + found.length, /^e$/i.test(found));
    } else {
      yield found.toLowerCase();
      at += found.length;
    }
  }
}

const word = /u&(?=')|[\p{L}_][\p{L}\p{N}_$]*|\p{N}[\p{L}\p{N}_.]*/uy;
const dollarTag = /\$(?:[\p{L}_][\p{L}\p{N}_]*)?\$/uy;

function skipBlank(sql: string, at: number): number | undefined {
  if (/\s/.test(sql[at] as string)) return at + 1;
  if (sql.startsWith('--', at)) {
    const stop = sql.indexOf('\n', at);
    return stop === -1 ? sql.length : stop + 1;
  }
  return sql.startsWith('/*', at) ? skipBlockComment(sql, at) : undefined;
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
  if (sql[at] === '"') {
    const stop = sql.indexOf('"', at + 1);
    return stop === -1 ? sql.length : stop + 1;
  }
  dollarTag.lastIndex = at;
  const tag = dollarTag.exec(sql)?.[0];
  if (tag === undefined) return undefined;
  const stop = sql.indexOf(tag, at + tag.length);
  return stop === -1 ? sql.length : stop + tag.length;
}

/** A doubled quote needs no care: it reads as two strings side by side. */
function skipString(sql: string, start: number, escapes: boolean): number {
  let at = start + 1;
  while (at < sql.length && sql[at] !== "'") at += escapes && sql[at] === '\\' ? 2 : 1;
  return at + 1;
}

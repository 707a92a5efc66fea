import { sqlTokens } from './sql-tokens.ts';

const longest = 500;

/**
 * The text of a statement for a log: its words and signs, without comments and without what stands in literals. Numbers and strings may be
 * somebody's data as much as parameters are.
 */
export function redactedSql(sql: string): string {
  let text = '';
  for (const token of sqlTokens(sql, '?')) {
    const shown = /^\d/.test(token) ? '?' : token;
    const blank = text === '' || /[(.$:]$/.test(text) || /^[),.;:]/.test(shown) ? '' : ' ';
    text += `${blank}${shown.startsWith('"') ? `${shown}"` : shown}`;
    if (text.length > longest) return `${text.slice(0, longest)}…`;
  }
  return text;
}

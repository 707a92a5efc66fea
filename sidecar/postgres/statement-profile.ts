import { sqlTokens, unclear } from './sql-tokens.ts';

/** What is known of a statement from its text, and from having run it. Shared by all calls with the same text. */
export interface StatementProfile {
  readonly sql: string;
  /** Why the statement is never run, as the end of a sentence. */
  readonly refusal: string | undefined;
  /** Why it is not run outside a transaction. */
  readonly autocommitRefusal: string | undefined;
  /** By its text it only reads, takes no lock that others wait for, and calls nothing unknown. */
  readonly reads: boolean;
  /** It may leave something behind in the server's session, which has to be reset before the next borrower. */
  readonly dirties: boolean;
  /** It writes nothing, and comes before anything else in a transaction, or might: SET, RESET, SHOW, LOCK, savepoints. */
  readonly prepares: boolean;
  /** What it reads may be a view, whose functions do more. */
  readonly readsTables: boolean;
  /** Its columns are those of a cursor, whatever its text: nothing the server says of it holds for the next time. */
  readonly fetches: boolean;
  /** How often it ran. */
  uses: number;
  /** How long it takes on the server: a moving average in ms, Infinity before the first run. */
  usualMs: number;
}

const transactionControl =
  'transactions have calls of their own: Transaction, Begin, Commit, Rollback, Savepoint';
const refusals: Readonly<Record<string, string>> = {
  begin: transactionControl,
  start: transactionControl,
  commit: transactionControl,
  end: transactionControl,
  rollback: transactionControl,
  abort: transactionControl,
  savepoint: transactionControl,
  release: transactionControl,
  prepare: 'statements are prepared by Holdfast, and two-phase commit is not supported',
  execute: 'statements are prepared by Holdfast',
  deallocate: 'statements are prepared by Holdfast',
  discard: 'the session belongs to the pool',
  listen: 'the session belongs to the pool',
  unlisten: 'the session belongs to the pool',
  copy: 'COPY is not supported; use INSERT … SELECT unnest(…) or Batch to write, Stream to read',
};

/** What is named so changes the session, or runs a text that might. */
const sessionChange =
  /^"?(?:pg_(?:try_)?advisory_(?:lock|unlock)|query_to_xml|(?:set_config|standard_conforming_strings|ts_stat|ts_rewrite|crosstab|connectby)$)/;
/** Whose work is in no text that could be read, or is the session itself. */
const opaque = new Set(['do', 'call', 'load', 'reset']);
/** Functions that only compute, and keywords that stand before a parenthesis. Anything else might write, lock or wait. */
const harmless = new Set(
  `all and any array as between by case cast char_length coalesce concat concat_ws count date_part date_trunc decimal dense_rank distinct else
  except exists extract filter first_value floor abs ceil ceiling avg bit_length bool_and bool_or every from generate_series greatest group
  having in int4range int8range intersect interval is join json_agg json_build_array json_build_object jsonb_agg jsonb_array_elements jsonb_build_array
  jsonb_build_object json_object_agg jsonb_object_agg lag last_value lateral lead least left length like limit lower ltrim max md5 min mod not now
  ntile nullif numeric octet_length offset on or order over overlay partition position power random rank regexp_replace replace returning right
  round row row_number row_to_json rtrim select some split_part sqrt string_agg strpos substr substring sum then time timestamp timestamptz to_char
  to_date to_json to_jsonb to_number to_timestamp trim trunc union unnest upper using values varchar when where with within array_agg array_length
  btrim cardinality char chr current_setting date exp format initcap ln lpad rpad sign unique`.split(
    /\s+/,
  ),
);

/** First words of statements that only prepare for others. */
const preparing = new Set(['set', 'reset', 'show', 'lock', 'savepoint', 'release', 'rollback']);

export function profileOf(sql: string): StatementProfile {
  const tokens = sql.length > longestReadSql ? firstTokens(sql) : [...sqlTokens(sql)];
  const first = tokens.find((token) => token !== '(' && token !== ';') ?? '';
  const dirties = sql.length > longestReadSql || leavesSessionState(tokens, first);
  return {
    sql,
    refusal: Object.hasOwn(refusals, first) ? refusals[first] : undefined,
    autocommitRefusal: autocommitRefusal(first),
    reads: !dirties && onlyReads(tokens, first),
    dirties,
    prepares: preparing.has(first),
    readsTables: first === 'table' || tokens.includes('from'),
    fetches: first === 'fetch',
    uses: 0,
    usualMs: Infinity,
  };
}

/** Reading a text of a megabyte takes a quarter of a second, in which nobody else is served: of such a one the worst is assumed. */
const longestReadSql = 64 * 1024;

function firstTokens(sql: string): readonly string[] {
  const tokens: string[] = [];
  for (const token of sqlTokens(sql)) {
    tokens.push(token);
    if (token !== '(' && token !== ';') break;
  }
  return tokens;
}

function autocommitRefusal(first: string): string | undefined {
  if (first === 'set' || first === 'reset') {
    return 'outside a transaction it would change nothing that lasts: connections are shared';
  }
  if (first === 'declare' || first === 'fetch' || first === 'move' || first === 'close') {
    return 'a cursor lives inside a transaction; for a single query use Stream';
  }
  return undefined;
}

function leavesSessionState(tokens: readonly string[], first: string): boolean {
  if (opaque.has(first)) return true;
  if (first === 'set') {
    const [second = '', third] = tokens.slice(tokens.indexOf(first) + 1);
    // `local.a` is a setting called so.
    if (third === '.' || !/^(?:local|transaction|constraints)$/.test(second)) return true;
  }
  return tokens.some((token, at) => {
    if (token === 'hold') return first === 'declare' && tokens[at - 1] === 'with';
    // What is made may be temporary without a word: it takes only a schema, or a search path.
    if (token === 'create' || token === 'execute' || token === unclear) return true;
    if (token === 'into') return tokens[at - 1] !== 'insert' && tokens[at - 1] !== 'merge';
    return token === 'u&"' || sessionChange.test(token);
  });
}

function onlyReads(tokens: readonly string[], first: string): boolean {
  if (first !== 'select' && first !== 'values' && first !== 'table' && first !== 'with') {
    return false;
  }
  return tokens.every((token, at) => {
    if (
      token === 'into' ||
      token === 'insert' ||
      token === 'update' ||
      token === 'delete' ||
      token === 'merge'
    ) {
      return false;
    }
    if (token === 'share' && tokens[at - 1] === 'for') return false;
    if (token === 'share' && tokens[at - 1] === 'key') return false;
    return token !== '(' || at === 0 || callsNothingUnknown(tokens, at - 1);
  });
}

/** The token before a parenthesis. Another schema may have a function of the same name. */
function callsNothingUnknown(tokens: readonly string[], at: number): boolean {
  const name = tokens[at] as string;
  if (/^[^a-z_"\u0080-\uffff]/.test(name)) return true;
  return harmless.has(name) && (tokens[at - 1] !== '.' || tokens[at - 2] === 'pg_catalog');
}

const keptProfiles = 5_000;
/** Of all texts together. */
const keptCharacters = 4_000_000;
const longestKeptSql = 20_000;

/** Profiles by text, the least recently used dropped first. One for each pool: how long a statement takes depends on its database. */
export class StatementProfiles {
  readonly #profiles = new Map<string, StatementProfile>();
  #characters = 0;

  of(sql: string): StatementProfile {
    let profile = this.#profiles.get(sql);
    if (profile !== undefined) {
      if (this.#profiles.size > keptProfiles / 2) {
        this.#profiles.delete(sql);
        this.#profiles.set(sql, profile);
      }
      return profile;
    }
    profile = profileOf(sql);
    if (sql.length > longestKeptSql) return profile;
    this.#profiles.set(sql, profile);
    this.#characters += sql.length;
    for (const [oldest] of this.#profiles) {
      if (this.#profiles.size <= keptProfiles && this.#characters <= keptCharacters) break;
      this.#profiles.delete(oldest);
      this.#characters -= oldest.length;
    }
    return profile;
  }
}

/** Takes one more measurement into the moving average. */
export function learn(profile: StatementProfile, tookMs: number): void {
  profile.uses += 1;
  profile.usualMs =
    profile.usualMs === Infinity ? tookMs : profile.usualMs + (tookMs - profile.usualMs) / 8;
}

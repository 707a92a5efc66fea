import { type ErrorKind, HoldfastError, type Reason } from '../../platform/errors.ts';

interface Meaning {
  readonly kind: ErrorKind;
  readonly reason: Reason;
  /** Our own words, where Redis' are not for callers. */
  readonly text?: string;
}

const unavailable = (text: string): Meaning => ({
  kind: 'unavailable',
  reason: 'REDIS_UNAVAILABLE',
  text,
});
const answered = (kind: ErrorKind, text?: string): Meaning => ({
  kind,
  reason: 'REDIS_ERROR',
  ...(text === undefined ? {} : { text }),
});

const clusterHint =
  'this Redis is part of a Cluster: write its URL as redis+cluster://user:password@host:6379';

/** First word of an error reply → what it means. None of the unavailable ones has run the command. */
const meanings: Readonly<Record<string, Meaning>> = {
  ERR: answered('invalid'),
  WRONGTYPE: answered('precondition'),
  OOM: answered('exhausted', 'Redis is at its memory limit (maxmemory)'),
  NOSCRIPT: answered('not-found'),
  NOGROUP: answered('not-found', 'no such key or consumer group'),
  BUSYGROUP: answered('already-exists'),
  BUSYKEY: answered('already-exists'),
  NOPERM: answered('forbidden', "the sidecar's Redis user may not do this"),
  NOAUTH: answered('forbidden', 'Redis wants a password, and the URL has none'),
  WRONGPASS: answered('forbidden', 'Redis refuses user and password of the URL'),
  CROSSSLOT: answered('invalid'),
  EXECABORT: answered('precondition', 'Redis discarded the commands; none of them ran'),
  MOVED: answered('precondition', clusterHint),
  ASK: answered('precondition', clusterHint),
  OPERATIONREUSED: {
    kind: 'already-exists',
    reason: 'OPERATION_ID_REUSED',
    text: 'the operation id belongs to another script or to other keys; nothing ran',
  },
  LOADING: unavailable('Redis is loading its data'),
  BUSY: unavailable('Redis is busy with a script'),
  MASTERDOWN: unavailable('this Redis is a replica that has lost its master'),
  READONLY: unavailable('this Redis is a replica: it takes no writes'),
  MISCONF: unavailable('Redis takes no writes because it cannot save its data'),
  NOREPLICAS: unavailable('Redis takes no writes because too few replicas follow it'),
  CLUSTERDOWN: unavailable('the Redis cluster is down'),
  TRYAGAIN: unavailable('the Redis cluster is moving these keys'),
};

/**
 * What Redis says of itself before a script begins, word for word: a script may answer with any code of its own (`BUSY come back`), and meets the other
 * unavailable ones halfway, after it has changed something.
 */
const beforeScript =
  /^(LOADING \w+ is loading the dataset in memory|BUSY \w+ is busy running a (script\. You can only call (SCRIPT|FUNCTION) KILL or SHUTDOWN NOSAVE|module command)\.|CLUSTERDOWN (Hash slot not served|The cluster is down( and only accepts read commands)?)|TRYAGAIN Multiple keys request during rehashing of slot)$/;

/** Of an ERR, what is about the data and not about the request. */
const aboutTheData =
  /^(no such key|index out of range|hash value is not|increment or decrement would overflow|increment would produce|resulting score is not)/;

/**
 * Texts of Redis that hold nothing of a request. Any other one may quote keys and values (scripts and modules do), so it is withheld: its code
 * alone is told.
 */
const harmless: readonly RegExp[] = [
  /^Operation against a key holding the wrong kind of value$/,
  /^no such key$/,
  /^syntax error$/,
  /^source and destination objects are the same$/,
  /^(index|offset|bit offset) (is )?(not an integer or )?out of range$/,
  /^value is (not an integer or out of range|not a valid float|out of range(, must be (positive|greater than 0))?)$/,
  /^(bit|timeout|port|DB index|count|limit) is not an integer or out of range$/,
  /^increment or decrement would overflow$/,
  /^increment would produce NaN or Infinity$/,
  /^hash value is not an? (integer|float)$/,
  /^(min or max is not a float|min or max not valid string range item|weight value is not a float)$/,
  /^resulting score is not a number \(NaN\)$/,
  /^string exceeds maximum allowed size \(proto-max-bulk-len\)$/,
  /^invalid cursor$/,
  /^(numkeys|limit|count) (should|can't) be (greater than 0|negative|greater than number of args)$/i,
  /^Number of keys can't be (negative|greater than number of args)$/,
  /^wrong number of arguments for '[a-z_|.-]{1,40}' command$/,
  /^invalid expire time in '[a-z_|.-]{1,40}' command$/,
  /^(GT, LT, and\/or NX|XX and NX|NX and XX, GT or LT) options at the same time are not compatible$/,
  /^Invalid stream ID specified as stream command argument$/,
  /^The ID specified in X[A-Z]+ (is equal or smaller than the target stream top item|must be greater than 0-0)$/,
  /^unsupported unit provided\. please use M, KM, FT, MI$/i,
  /^DUMP payload version or checksum are wrong$/,
  /^(Target key name already exists|Consumer Group name already exists)\.?$/,
  /^No matching (script\. Please use EVAL\.|function)$/,
  /^Keys in request don't hash to the same slot$/,
];

/** Rewritten to what they say without the words of the request. */
const rewritten: readonly (readonly [RegExp, string])[] = [
  [/^unknown command\b/i, 'Redis knows no such command'],
  [/^unknown subcommand\b/i, 'Redis knows no such subcommand, or not with so many arguments'],
  [
    /^(Error running script|user_script|user_function|Error compiling (script|function))/,
    'the script failed',
  ],
];

/**
 * Turns an error reply of Redis into ours. Its text reaches nobody unless it is known to hold nothing of the request. `partly`: the command may
 * have changed something before it failed, as scripts do.
 */
export function replyError(message: string, target: string, partly = false): HoldfastError {
  const space = message.indexOf(' ');
  const first = space < 0 ? message : message.slice(0, space);
  const code = /^[A-Z][A-Z0-9_]{0,31}$/.test(first) ? first : '';
  const text = code === '' ? message : message.slice(code.length + 1);
  const known = Object.hasOwn(meanings, code) ? meanings[code] : undefined;
  const halfway = partly && known?.kind === 'unavailable' && !beforeScript.test(message);
  const { kind, reason } = halfway
    ? answered('unknown-outcome')
    : (known ?? answered('precondition'));
  const shown =
    known?.text ?? shownText(text) ?? 'its text is withheld, since it may hold keys or values';
  const more = halfway ? '; the script may have run in part' : '';
  return new HoldfastError(
    kind === 'invalid' && aboutTheData.test(text) ? 'precondition' : kind,
    reason,
    `Redis "${target}" answered ${code === '' ? 'with an error' : code}: ${shown}${more}`,
    {
      target,
      metadata: code === '' ? {} : { redis_code: code },
      ...(kind === 'unavailable' ? { retryAfterMs: 1_000 } : {}),
    },
  );
}

function shownText(text: string): string | undefined {
  const replacement = rewritten.find(([pattern]) => pattern.test(text))?.[1];
  if (replacement !== undefined) return replacement;
  return harmless.some((pattern) => pattern.test(text)) ? text : undefined;
}

/** One word for why a connection is not there: an errno or the code of an error reply. Holds no address and no secret. */
export function faultWord(error: unknown): string {
  const { code, message = '' } = error as { readonly code?: unknown; readonly message?: string };
  if (typeof code === 'string' && /^[A-Z][A-Z0-9_]{1,40}$/.test(code)) return code;
  if (message === 'Command timed out') return 'ETIMEDOUT';
  if (message.startsWith('All sentinels are unreachable')) return 'SENTINELS_UNREACHABLE';
  const first = /^[A-Z][A-Z0-9_]{1,31}(?= )/.exec(message)?.[0];
  return first !== undefined && Object.hasOwn(meanings, first) ? first : 'CLOSED';
}

/** No connection is there: the command was not sent. */
export const redisUnavailable = (
  target: string,
  fault: string,
  retryAfterMs: number,
): HoldfastError =>
  new HoldfastError(
    'unavailable',
    'REDIS_UNAVAILABLE',
    `Redis "${target}" cannot be reached (${fault}); the command was not sent`,
    { target, retryAfterMs, metadata: { fault } },
  );

/** The command was sent, and its answer will never be seen. `harmless`: it only reads, or its caller said that twice does no harm. */
export function replyLost(target: string, harmless: boolean): HoldfastError {
  return new HoldfastError(
    harmless ? 'unavailable' : 'unknown-outcome',
    'REPLY_LOST',
    `the connection to Redis "${target}" broke before the answer came; the command may have run`,
    { target, retryAfterMs: 100 },
  );
}

/** The caller gave up on a command that was sent. A command that only reads leaves nothing to know. */
export function abandoned(target: string, harmless: boolean, ended: HoldfastError): HoldfastError {
  if (harmless) return ended;
  return new HoldfastError(
    ended.kind,
    'REPLY_LOST',
    `${ended.message}; its command had been sent and may have run`,
    { target },
  );
}

export const commandTimeout = (target: string, timeoutMs: number): HoldfastError =>
  new HoldfastError(
    'deadline',
    'COMMAND_TIMEOUT',
    `Redis "${target}" did not answer within ${timeoutMs} ms (commandTimeoutMs); the command may have run`,
    { target },
  );

export const tooManyInFlight = (target: string, inFlight: number): HoldfastError =>
  new HoldfastError(
    'exhausted',
    'POOL_EXHAUSTED',
    `${inFlight} commands wait for an answer of Redis "${target}" (maxInFlight); the command was not sent`,
    { target, retryAfterMs: 50, metadata: { queue_length: String(inFlight) } },
  );

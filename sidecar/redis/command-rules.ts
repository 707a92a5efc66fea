import { blockingNames, blockingTime, shortWord } from './blocking-commands.ts';

/** What the sidecar knows of a command by its name. */
export interface CommandRule {
  /** Of the command, upper-case; for messages. */
  readonly name: string;
  /** Why it is refused whatever its arguments are. */
  readonly refused?: string;
  /** Why it is refused with these arguments; the name is among them. */
  readonly refusal?: (args: readonly Buffer[]) => string | undefined;
  /** Running it twice, or not knowing whether it ran, does no harm. */
  readonly reads: boolean;
  /** It runs a script, which may have changed something before its error. */
  readonly scripts?: boolean;
  /** It may block, and then needs a connection of its own. */
  readonly blocks?: boolean;
}

const blocking = 'it would hold up every caller of the shared connection while it waits';
const subscribing = 'it would turn the shared connection into a stream';
const connectionState =
  'it would change the connection that all callers share; the URL and the policy settle that';
const transaction =
  "on a shared connection other callers' commands would end up in it; use an atomic Pipeline, or a script";
const administration = "it reaches past one application's keys";

/** Refused by name. Redis itself cannot help here: its ACL may well allow them to the sidecar's user. */
const refusedNames: readonly (readonly [why: string, names: string])[] = [
  [blocking, 'BLMOVEM'],
  [
    subscribing,
    'SUBSCRIBE PSUBSCRIBE SSUBSCRIBE UNSUBSCRIBE PUNSUBSCRIBE SUNSUBSCRIBE MONITOR SYNC PSYNC REPLCONF',
  ],
  [connectionState, 'SELECT AUTH HELLO CLIENT QUIT RESET ASKING READONLY READWRITE HIMPORT'],
  [transaction, 'MULTI EXEC DISCARD WATCH UNWATCH'],
  [
    administration,
    'CONFIG SHUTDOWN DEBUG REPLICAOF SLAVEOF FAILOVER CLUSTER SENTINEL ACL MODULE SAVE BGSAVE BGREWRITEAOF FLUSHALL FLUSHDB SWAPDB MIGRATE RESTORE-ASKING LATENCY SLOWLOG COMMANDLOG PFDEBUG PFSELFTEST',
  ],
  ['it looks at every key of the database while everybody waits; use SCAN', 'KEYS'],
];

/** Containers of which some subcommands are refused. */
const refusedSubcommands: readonly (readonly [name: string, subcommands: readonly string[]])[] = [
  ['SCRIPT', ['FLUSH', 'KILL', 'DEBUG']],
  ['FUNCTION', ['FLUSH', 'KILL', 'DELETE', 'RESTORE']],
  ['MEMORY', ['PURGE']],
];

const readingNames =
  'BITCOUNT BITFIELD_RO BITPOS COMMAND DBSIZE DIGEST DUMP ECHO EVALSHA_RO EVAL_RO EXISTS EXPIRETIME FCALL_RO GEODIST GEOHASH GEOPOS GEORADIUSBYMEMBER_RO GEORADIUS_RO GEOSEARCH GET GETBIT GETRANGE HEXISTS HEXPIRETIME HGET HGETALL HKEYS HLEN HMGET HPEXPIRETIME HPTTL HRANDFIELD HSCAN HSTRLEN HTTL HVALS INFO LASTSAVE LCS LINDEX LLEN LOLWUT LPOS LRANGE MGET OBJECT PEXPIRETIME PFCOUNT PING PTTL PUBSUB RANDOMKEY ROLE SCAN SCARD SDIFF SINTER SINTERCARD SISMEMBER SMEMBERS SMISMEMBER SORT_RO SRANDMEMBER SSCAN STRLEN SUBSTR SUNION TIME TOUCH TTL TYPE VCARD VDIM VEMB VGETATTR VINFO VISMEMBER VLINKS VRANDMEMBER VSIM XINFO XLEN XPENDING XRANGE XREVRANGE ZCARD ZCOUNT ZDIFF ZINTER ZINTERCARD ZLEXCOUNT ZMSCORE ZRANDMEMBER ZRANGE ZRANGEBYLEX ZRANGEBYSCORE ZRANK ZREVRANGE ZREVRANGEBYLEX ZREVRANGEBYSCORE ZREVRANK ZSCAN ZSCORE ZUNION';

/** Frequent commands that change something: known here only so that they are found at once. */
const writingNames =
  'SET SETEX PSETEX SETNX DEL UNLINK INCR INCRBY DECR EXPIRE PEXPIRE HSET HDEL HINCRBY LPUSH RPUSH LPOP RPOP SADD SREM ZADD ZREM XADD XACK PUBLISH MSET GETDEL GETEX';

const longestName = 32;

const unknownCommand: CommandRule = { name: 'a command', reads: false };

const rules = new Map<string, CommandRule>();
const learn = (rule: CommandRule): void => {
  // As callers nearly always spell them.
  rules.set(rule.name, rule);
  rules.set(rule.name.toLowerCase(), rule);
};
for (const name of readingNames.split(' ')) learn({ name, reads: true });
for (const name of writingNames.split(' ')) learn({ name, reads: false });
for (const name of ['EVAL', 'EVALSHA', 'FCALL']) learn({ name, reads: false, scripts: true });
for (const [refused, names] of refusedNames) {
  for (const name of names.split(' ')) learn({ name, refused, reads: false });
}
for (const [name, subcommands] of refusedSubcommands) {
  learn({
    name,
    reads: false,
    refusal: ([, subcommand]) =>
      subcommand !== undefined && subcommands.includes(shortWord(subcommand))
        ? administration
        : undefined,
  });
}
for (const name of blockingNames) learn({ name, reads: name.startsWith('WAIT'), blocks: true });
learn({ name: 'XREAD', reads: true, blocks: true });
learn({ name: 'XREADGROUP', reads: false, blocks: true });

/** Those that are refused whatever their arguments are, upper-case. */
export const refusedCommands: readonly string[] = refusedNames.flatMap(([, names]) =>
  names.split(' '),
);

/** The rule for a command; a name that is not known here passes. `name` in any case. */
export function commandRule(name: Buffer): CommandRule {
  if (name.length > longestName) return unknownCommand;
  const spelled = name.toString('latin1');
  return rules.get(spelled) ?? rules.get(spelled.toUpperCase()) ?? unknownCommand;
}

/** Whether a command may change something and fail all the same, as scripts do. */
export const mayFailInPart = (name: Buffer | undefined): boolean =>
  name !== undefined && commandRule(name).scripts === true;

/** Why a command is not for a shared connection, or undefined. */
export function refusalOf(rule: CommandRule, args: readonly Buffer[]): string | undefined {
  const why = rule.refused ?? rule.refusal?.(args);
  return why === undefined ? undefined : `${rule.name} is refused: ${why}`;
}

/** Whether a command with these words may block the connection that carries it. */
export const mayBlock = ({ blocks, name }: CommandRule, words: readonly Buffer[]): boolean =>
  blocks === true && blockingTime(name, words) !== undefined;

/** A call of a command by a literal name. */
const literalCall =
  /\b(?:redis|server)\s*\.\s*p?call\s*\(?\s*(?:"([\w-]+)"|'([\w-]+)'|\[\[([\w-]+)\]\])/g;

/** Why a Lua script is refused for what its text shows that it would call, or undefined. What it hides is not seen. */
export function scriptRefusal(body: string): string | undefined {
  // What a comment says is not called. (`--` inside a text hides the rest of its line; this is no fence.)
  for (const [, ...names] of body.replaceAll(/--[^\n]*/g, '').matchAll(literalCall)) {
    const { name, refused } = commandRule(Buffer.from(names.find(Boolean) ?? ''));
    if (refused !== undefined) return `the script calls ${name}, which is refused: ${refused}`;
  }
  return undefined;
}

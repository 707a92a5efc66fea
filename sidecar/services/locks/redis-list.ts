import type { Call } from '../../../platform/call.ts';
import { runCommand } from '../../redis/run-command.ts';
import type { RedisBackend } from '../../redis/redis-backend.ts';
import type { Reply } from '../../redis/reply.ts';
import type { LockMode, LockReading } from './authority.ts';
import { askLockScript, lockScripts } from './redis-scripts.ts';

const before = 'holdfast:lock:{';
const modes: Readonly<Record<string, LockMode>> = { x: 'exclusive', s: 'shared', n: 'semaphore' };
/** Keys that one script reads. */
const page = 100;
/** Keys may be there of which all holders have ended. */
const spare = 1_000;

/** The first locks that begin with `prefix`, in byte order of names. Looks at every key of the server: for people, not for programs. */
export async function listRedisLocks(
  to: RedisBackend,
  prefix: string,
  limit: number,
  call: Call,
): Promise<readonly LockReading[]> {
  const keys = await firstKeys(to, prefix, limit + spare, call);
  const found: LockReading[] = [];
  for (let from = 0; from < keys.length && found.length < limit; from += page) {
    call.throwIfEnded();
    const some = keys.slice(from, from + page);
    const { reply } = await askLockScript(to, lockScripts.list, some, []);
    for (const [index, each] of (reply as readonly Reply[]).entries()) {
      const reading = readingOf(some[index] as Buffer, each);
      if (reading.holders.length > 0 || reading.waiting > 0) found.push(reading);
    }
  }
  return found.slice(0, limit);
}

async function firstKeys(
  to: RedisBackend,
  prefix: string,
  most: number,
  call: Call,
): Promise<readonly Buffer[]> {
  const match = Buffer.from(`${before}${prefix.replaceAll(/[\\*?[\]]/g, String.raw`\$&`)}*`);
  const run = { harmless: true, lane: 'shared' } as const;
  let first = new Map<string, Buffer>();
  let cursor: Buffer = Buffer.from('0');
  do {
    const words = [scan, cursor, matchWord, match, countWord, count];
    const [next, keys] = (await runCommand(to, words, run, call)) as [Buffer, Buffer[]];
    for (const key of keys) {
      // What is beside a lock ends otherwise.
      if (key.at(-1) === 0x7d /* } */) first.set(key.toString('latin1'), key);
    }
    if (first.size > 2 * most) first = new Map(smallest(first, most));
    cursor = next;
  } while (cursor.toString() !== '0');
  return smallest(first, most).map(([, key]) => key);
}

const [scan, matchWord, countWord, count] = ['SCAN', 'MATCH', 'COUNT', '1000'].map((word) =>
  Buffer.from(word),
) as [Buffer, Buffer, Buffer, Buffer];

const smallest = (all: ReadonlyMap<string, Buffer>, most: number): [string, Buffer][] =>
  [...all].toSorted(([, a], [, b]) => nameOf(a).compare(nameOf(b))).slice(0, most);

const nameOf = (key: Buffer): Buffer => key.subarray(before.length, -1);

function readingOf(key: Buffer, reply: Reply): LockReading {
  const [mode, waiting, holders] = reply as readonly [Buffer, string, readonly Reply[]];
  return {
    name: nameOf(key).toString(),
    mode: modes[String(mode)] ?? 'exclusive',
    waiting: Number(waiting),
    holders: (holders as readonly (readonly Reply[])[]).map(([owner, token, ends, count]) => ({
      owner: String(owner),
      token: BigInt(String(token)),
      expiresInMs: Number(ends),
      count: Number(count),
    })),
  };
}

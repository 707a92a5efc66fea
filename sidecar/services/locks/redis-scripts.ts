import { hash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { HoldfastError } from '../../../platform/errors.ts';
import { PendingCommand, type Waiter } from '../../redis/pending-command.ts';
import type { Caller, RedisBackend } from '../../redis/redis-backend.ts';
import type { Reply } from '../../redis/reply.ts';
import type { Claim } from './authority.ts';
import { unsupportedRedis } from './lock-refusals.ts';

/** Who waits for a script; told once. `sentAtMs` of the clock, when it was sent. */
export interface ScriptWaiter {
  answered(reply: Reply, sentAtMs: number): void;
  failed(error: HoldfastError): void;
}

interface LockScript {
  readonly digest: Buffer;
  readonly body: Buffer;
}

/** What each script does stands in its first file, or in the second after `first`. */
export const lockScripts = {
  acquire: script('first', 'acquire-free', 'lock', 'acquire'),
  release: script('first', 'release-alone', 'lock', 'release'),
  cancel: script('first', 'lock', 'cancel'),
  look: script('first', 'lock', 'look'),
  force: script('first', 'lock', 'force'),
  adopt: script('first', 'lock', 'adopt'),
  renew: script('renew'),
  list: script('list'),
};

const modes = { exclusive: 'x', shared: 's', semaphore: 'n' } as const;
const yes = Buffer.from('1');
const no = Buffer.from('0');
const evalsha = Buffer.from('EVALSHA');
const evaluate = Buffer.from('EVAL');
const lifeKey = Buffer.from('holdfast:locks');
const keyCounts = Array.from({ length: 1_002 }, (_, count) => Buffer.from(String(count)));
const nobody: Caller = { ended: undefined, onEnd: () => () => {} };

/** The key of a lock, with a hash tag that those beside it share. */
export const lockKey = (name: string): Buffer => Buffer.from(`holdfast:lock:{${name}}`);

/** Arguments of a script. */
export const words = (...all: readonly (string | number)[]): Buffer[] => all.map(word);

/** One of them. */
export const word = (text: string | number): Buffer => Buffer.from(String(text));

/** A request as scripts write one. */
export const waiterWord = ({ leaseId, mode, permits, owner }: Claim, channelId: string): string =>
  `${leaseId} ${channelId} ${modes[mode]} ${permits} ${owner}`;

/** A yes or no. */
export const flagWord = (is: boolean): Buffer => (is ? yes : no);

/** Makes the argument for a number that is nearly always the same, as times of a policy are. */
export function numberWord(): (value: number) => Buffer {
  let [last, made] = [0, word(0)];
  return (value) => {
    if (value !== last) [last, made] = [value, word(value)];
    return made;
  };
}

/**
 * Runs a script of locks on the connections that all commands share. At most 1,000 locks. It may be sent again by whoever has lost its reply: each
 * one is the same once or twice.
 */
export function runLockScript(
  to: RedisBackend,
  script: LockScript,
  locks: readonly Buffer[],
  args: readonly Buffer[],
  waiter: ScriptWaiter,
): void {
  const run = new ScriptRun(to, script, locks, args, waiter);
  const opening = to.opening(nobody, 'shared');
  if (opening === undefined) run.send();
  else void opening.then(() => run.send());
}

/** One object for each run: locks are taken and released thousands of times a second. */
class ScriptRun implements Waiter {
  readonly #to: RedisBackend;
  readonly #script: LockScript;
  readonly #waiter: ScriptWaiter;
  #words: Buffer[];
  #command: PendingCommand | undefined;
  #loads = false;

  constructor(
    to: RedisBackend,
    script: LockScript,
    locks: readonly Buffer[],
    args: readonly Buffer[],
    waiter: ScriptWaiter,
  ) {
    this.#to = to;
    this.#script = script;
    this.#waiter = waiter;
    this.#words = [evalsha, script.digest, keyCounts[locks.length + 1] as Buffer, lifeKey];
    this.#words.push(...locks, ...args);
  }

  send(): void {
    this.#command = new PendingCommand(this.#words, true, this, 0);
    try {
      this.#to.send([this.#command], 'shared');
    } catch (thrown) {
      this.failed(HoldfastError.from(thrown));
    }
  }

  answered(reply: Reply): void {
    this.#waiter.answered(reply, this.#command?.sentAtMs ?? 0);
  }

  failed(error: HoldfastError): void {
    // A server that was started anew, or has become the master, knows no scripts.
    if (error.metadata['redis_code'] !== 'NOSCRIPT' || this.#loads) {
      return this.#waiter.failed(asRefusal(error, this.#to));
    }
    this.#loads = true;
    this.#words = [evaluate, this.#script.body, ...this.#words.slice(2)];
    this.send();
  }
}

/** What no other try would change. */
function asRefusal(error: HoldfastError, { name }: RedisBackend): HoldfastError {
  const code = error.metadata['redis_code'];
  if (code === 'CROSSSLOT') return unsupportedRedis('it is part of a Cluster', name);
  if (code === 'NOPERM' || error.message.endsWith('knows no such command')) {
    return unsupportedRedis('its user may not run the scripts that keep them', name);
  }
  return error;
}

/** The same, for those who are not in a hurry. */
export const askLockScript = (
  to: RedisBackend,
  script: LockScript,
  locks: readonly Buffer[],
  args: readonly Buffer[],
): Promise<{ readonly reply: Reply; readonly sentAtMs: number }> =>
  new Promise((resolve, reject) =>
    runLockScript(to, script, locks, args, {
      answered: (reply, sentAtMs) => resolve({ reply, sentAtMs }),
      failed: reject,
    }),
  );

function script(...files: readonly string[]): LockScript {
  const text = files
    .map((file) => readFileSync(new URL(`./redis/${file}.lua`, import.meta.url), 'utf8'))
    .join('\n');
  return { digest: Buffer.from(hash('sha1', text, 'hex')), body: Buffer.from(text) };
}

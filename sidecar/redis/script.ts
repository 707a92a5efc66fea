import { hash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Clock } from '../../platform/clock.ts';
import { HoldfastError } from '../../platform/errors.ts';
import { keySlot, slotTag } from './key-slot.ts';
import type { Caller, RedisBackend } from './redis-backend.ts';
import { runCommand } from './run-command.ts';
import type { Reply } from './reply.ts';

/** A script as its caller has it. */
export interface Script {
  readonly body: string;
  readonly keys: readonly Buffer[];
  readonly args: readonly Buffer[];
  /** Empty for none. */
  readonly operationId: string;
  /** Running it twice does no harm, without an operation id. */
  readonly idempotent: boolean;
}

/** The call that a script belongs to. */
export interface ScriptCaller extends Caller {
  readonly signal: AbortSignal;
}

interface ScriptParts {
  readonly clock: Clock;
  /** 0 to 1, for the jitter of repeats. */
  readonly random: () => number;
}

const [beforeBody = '', afterBody = ''] = readFileSync(
  new URL('./once.lua', import.meta.url),
  'utf8',
).split('--[[BODY]]');

/** Before a repeat, where the error does not say. */
const pauseMs = 100;

/**
 * Runs a script. With an operation id it takes effect once: when its reply was lost, it is sent again, for as long as the call lasts and at most
 * `commandTimeoutMs` more. Fails like a command.
 */
export async function runScript(
  to: RedisBackend,
  script: Script,
  caller: ScriptCaller,
  { clock, random }: ScriptParts,
): Promise<Reply> {
  const once = script.operationId !== '';
  const ready = once ? onceOnly(script, to.options.operationTtlMs) : script;
  let lost: HoldfastError | undefined;
  let lostAtMs = Infinity;
  for (;;) {
    try {
      return await evaluate(to, ready, once || script.idempotent, caller);
    } catch (thrown) {
      const error = HoldfastError.from(thrown);
      const isLost = error.reason === 'REPLY_LOST' && error.kind === 'unavailable';
      if (!once || !(isLost || (lost !== undefined && error.kind === 'unavailable'))) throw error;
      const first = (lost ??= error);
      lostAtMs = Math.min(lostAtMs, clock.now());
      // What failed last may not have run; the first one may have, and that is what counts.
      if (clock.now() - lostAtMs > to.options.commandTimeoutMs) throw first;
      await clock
        .sleep((error.retryAfterMs ?? pauseMs) * (1 + random()), caller.signal)
        .catch(() => {
          throw first;
        });
    }
  }
}

/** By its digest, which Redis knows from the second time on; by its text when it does not. */
async function evaluate(
  to: RedisBackend,
  { body, keys, args }: Pick<Script, 'body' | 'keys' | 'args'>,
  harmless: boolean,
  caller: Caller,
): Promise<Reply> {
  const rest = [Buffer.from(String(keys.length)), ...keys, ...args];
  const run = { harmless, lane: 'scripts' } as const;
  try {
    const digest = Buffer.from(hash('sha1', body, 'hex'));
    return await runCommand(to, [Buffer.from('EVALSHA'), digest, ...rest], run, caller);
  } catch (thrown) {
    if (!isUnknownScript(thrown)) throw thrown;
    return runCommand(to, [Buffer.from('EVAL'), Buffer.from(body), ...rest], run, caller);
  }
}

/** Word for word what Redis says, so that no error of a script's own is taken for it. */
const isUnknownScript = (thrown: unknown): boolean =>
  thrown instanceof HoldfastError &&
  thrown.metadata['redis_code'] === 'NOSCRIPT' &&
  thrown.message.endsWith('NOSCRIPT: No matching script. Please use EVAL.');

function onceOnly(
  { body, keys, args, operationId }: Script,
  ttlMs: number,
): Pick<Script, 'body' | 'keys' | 'args'> {
  const [firstKey] = keys;
  const tag = firstKey === undefined ? '' : `{${slotTag(keySlot(firstKey))}}:`;
  // `#!lua flags=…` counts only in the first line.
  const [, shebang = '', lua = ''] = /^(#![^\n]*\n)?([^]*)$/.exec(body) ?? [];
  const digest = hash(
    'sha1',
    Buffer.concat([Buffer.from(body), ...keys.flatMap(delimited)]),
    'hex',
  );
  return {
    body: `${shebang}${beforeBody}${lua}${afterBody}`,
    keys: [...keys, Buffer.from(`holdfast:op:${tag}${operationId}`)],
    args: [...args, Buffer.from(digest), Buffer.from(String(ttlMs))],
  };
}

const delimited = (key: Buffer): Buffer[] => [Buffer.from(`\0${key.length}:`), key];

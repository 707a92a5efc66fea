import { Command } from 'ioredis';
import { keySlot } from './key-slot.ts';

/**
 * The hash slot that a command belongs to: that of its first key, or of the channel that it publishes to. Undefined for one without keys, and for
 * one whose keys are not known here: any node will say where it belongs.
 */
export function commandSlot([name, ...args]: readonly Buffer[]): number | undefined {
  const key = firstKey((name ?? '').toString('latin1').toUpperCase(), args);
  return key === undefined ? undefined : keySlot(key);
}

function firstKey(name: string, args: readonly Buffer[]): Buffer | undefined {
  if (name === 'PUBLISH') return args[0];
  const [key] = new Command(name, [...args]).getKeys();
  return Buffer.isBuffer(key) ? key : undefined;
}

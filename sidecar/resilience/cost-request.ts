import { HoldfastError } from '../../platform/errors.ts';
import { microsOf, type Micros } from './cost-ledger.ts';

const mostUnits = 2_000_000_000;
const mostKeyBytes = 200;

/** An amount of a request in whole millionths, undefined when it has none. Throws INVALID_REQUEST unless it is 0 to 2,000,000,000. */
export function amountOf(name: string, amount: number | undefined): Micros | undefined {
  if (amount === undefined) return undefined;
  if (amount >= 0 && amount <= mostUnits) return microsOf(amount);
  throw invalidRequest(`${name} is a number from 0 to ${mostUnits}`);
}

/** A key or id of a request. Throws INVALID_REQUEST when it is too long, or nothing that a database can keep. */
export function checkedText(name: string, text: string, mostBytes = mostKeyBytes): string {
  if (Buffer.byteLength(text) > mostBytes) {
    throw invalidRequest(`${name} is longer than ${mostBytes} bytes`);
  }
  if (text.includes('\0')) throw invalidRequest(`${name} contains the character U+0000`);
  return text;
}

/** A time of a request in ms. Throws INVALID_REQUEST when it is longer than it may be. */
export function checkedMs(name: string, ms: number, most: number): number {
  if (ms <= most) return ms;
  throw invalidRequest(`${name} is ${ms}, more than ${most}`);
}

export const invalidRequest = (message: string): HoldfastError =>
  new HoldfastError('invalid', 'INVALID_REQUEST', message);

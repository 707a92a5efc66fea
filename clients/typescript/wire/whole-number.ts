import { HoldfastError } from '../errors.ts';

/** Checks a uint32 that a caller gave; encoders would cut it down without a word. */
export function wholeNumber(name: string, value: number | undefined): number | undefined {
  if (value === undefined) return undefined;
  if (Number.isInteger(value) && value >= 0 && value <= 0xffff_ffff) return value;
  throw HoldfastError.invalid(`${name} is a whole number from 0 to 4294967295`);
}

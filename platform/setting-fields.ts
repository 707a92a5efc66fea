import { z } from 'zod';

/** What the page of settings says of a variable. */
export interface About {
  readonly description: string;
  /** What stands in its table where no default is. */
  readonly without?: string;
}

/** A variable that is a whole number in a range; both ends belong to it. */
export const numberFrom = (min: number, max: number) => {
  const fault = `must be a whole number from ${min} to ${max}`;
  return z
    .string()
    .regex(/^\d{1,15}$/, fault)
    .transform(Number)
    .refine((value) => value >= min && value <= max, fault);
};

/** The same with a default. */
export const wholeNumber = (min: number, max: number, defaultValue: number, about: About) =>
  numberFrom(min, max)
    .prefault(String(defaultValue))
    .meta({ ...about, default: String(defaultValue) });

/** One of a few words. */
export const oneOf = <const Values extends readonly [string, ...string[]]>(
  values: Values,
  defaultValue: Values[number],
  about: About,
) =>
  z
    .enum(values, { error: `must be one of ${values.join(', ')}` })
    .default(defaultValue as never)
    .meta({ ...about, default: defaultValue });

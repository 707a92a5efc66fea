import { z } from 'zod';

/** A rule over several fields, said twice: `holds` for the sidecar's parser, `cel` for the API server. Both must mean the same. */
export interface CrossFieldRule<Value> {
  /** The field at fault, below the object that carries the rule: `min`, `adaptive.max`. */
  readonly field: string;
  readonly holds: (value: Value) => boolean;
  /** What the field must do, to be read after its name: `must be at most max (10)`. */
  readonly fault: (value: Value) => string;
  readonly cel: {
    readonly rule: string;
    /** Without values: the API server takes putting numbers into words for too expensive. */
    readonly message: string;
  };
}

/** A rule for changes of what is there already: the API server refuses an edit that breaks it. A file has no past, so its parser cannot. */
export interface TransitionRule<Value> {
  readonly field: string;
  readonly holds: (before: Value, after: Value) => boolean;
  readonly cel: { readonly rule: string; readonly message: string };
}

/** Puts rules on an object, for the parser and for the API server alike. No other code refines a schema. */
export function withRules<Schema extends z.ZodObject>(
  schema: Schema,
  description: string,
  rules: readonly CrossFieldRule<z.output<Schema>>[],
  transitions: readonly TransitionRule<z.output<Schema>>[] = [],
): Schema {
  let ruled = schema;
  for (const { field, holds, fault } of rules) {
    ruled = ruled.refine((value) => holds(value), {
      path: field.split('.'),
      error: (issue) => fault(issue.input as z.output<Schema>),
    });
  }
  const validations = [...rules, ...transitions].map(({ cel, field }) => ({
    ...cel,
    fieldPath: `.${field}`,
  }));
  return ruled.meta({ description, 'x-kubernetes-validations': validations });
}

/** A list of objects that differ in `keys`: the API server's twin of the rule is the list type `map`. */
export function listBy<Key extends string, Item extends z.ZodType<Readonly<Record<Key, string>>>>(
  keys: readonly [Key, ...Key[]],
  item: Item,
  maxItems: number,
  description: string,
) {
  return z
    .array(item)
    .max(maxItems)
    .refine((items) => twice(keys, items) === undefined, {
      error: (issue) => `names ${twice(keys, issue.input as Record<Key, string>[])} twice`,
    })
    .default([])
    .meta({
      description,
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': keys,
    });
}

/** The first item that has the keys of an earlier one: `"default"`, `Redis "default"`. */
function twice<Key extends string>(
  keys: readonly Key[],
  items: readonly Readonly<Record<Key, string>>[],
): string | undefined {
  const texts = items.map((item) =>
    keys.map((key, at) => (at === keys.length - 1 ? `"${item[key]}"` : item[key])).join(' '),
  );
  return texts.find((text, index) => texts.indexOf(text) !== index);
}

/** A list of texts that differ: the API server's twin of the rule is the list type `set`. */
export function distinct(item: z.ZodString, maxItems: number, description: string) {
  return z
    .array(item)
    .max(maxItems)
    .refine((items) => new Set(items).size === items.length, {
      error: 'has an entry twice',
    })
    .default([])
    .meta({ description, 'x-kubernetes-list-type': 'set' });
}

/** Free keys, few of them: the API server's twin of the rule is `maxProperties`. */
export function smallRecord<Value extends z.ZodType>(
  value: Value,
  maxProperties: number,
  description: string,
) {
  return z
    .record(z.string(), value)
    .refine((record) => Object.keys(record).length <= maxProperties, {
      error: `must have at most ${maxProperties} entries`,
    })
    .default({})
    .meta({ description, maxProperties });
}

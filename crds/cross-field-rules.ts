import { z } from 'zod';

/** A rule over several fields, said twice: `holds` for the sidecar's parser, `cel` for the API server. Both must mean the same. */
export interface CrossFieldRule<Value> {
  /** The field at fault, below the object that carries the rule. */
  readonly field: string;
  readonly holds: (value: Value) => boolean;
  /** What the field must do, to be read after its name: `must be at most max (10)`. */
  readonly fault: (value: Value) => string;
  readonly cel: {
    readonly rule: string;
    readonly message: string;
    /** The same words with the values in them. */
    readonly messageExpression?: string;
  };
}

/** Puts rules on an object, for the parser and for the API server alike. No other code refines a schema. */
export function withRules<Schema extends z.ZodObject>(
  schema: Schema,
  description: string,
  rules: readonly CrossFieldRule<z.output<Schema>>[],
): Schema {
  let ruled = schema;
  for (const { field, holds, fault } of rules) {
    ruled = ruled.refine((value) => holds(value), {
      path: [field],
      error: (issue) => fault(issue.input as z.output<Schema>),
    });
  }
  const validations = rules.map(({ cel, field }) => ({ ...cel, fieldPath: `.${field}` }));
  return ruled.meta({ description, 'x-kubernetes-validations': validations });
}

interface Named {
  readonly name: string;
}

/** A list of objects with different names: the API server's twin of the rule is the list type `map`. */
export function listByName<Item extends z.ZodType<Named>>(
  item: Item,
  maxItems: number,
  description: string,
) {
  return z
    .array(item)
    .max(maxItems)
    .refine((items) => doubleName(items) === undefined, {
      error: (issue) => `names "${doubleName(issue.input as Named[])}" twice`,
    })
    .default([])
    .meta({
      description,
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['name'],
    });
}

const doubleName = (items: readonly Named[]): string | undefined =>
  items.map(({ name }) => name).find((name, index, all) => all.indexOf(name) !== index);

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

import type { z } from 'zod';
import type { OpenApi } from './open-api.ts';
import { nearestName } from './nearest-name.ts';

/** Something wrong with a manifest: where, and what the field must do (`must be at most 1000`). */
export interface Fault {
  readonly path: readonly PropertyKey[];
  readonly text: string;
}

/** `spec.postgres[0].pool.min`, `spec.selector.matchLabels["app.kubernetes.io/name"]`. */
export function pathText(path: readonly PropertyKey[]): string {
  return path
    .map((step, index) => {
      if (typeof step === 'number') return `[${step}]`;
      const key = String(step);
      if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(key)) return `[${JSON.stringify(key)}]`;
      return index === 0 ? key : `.${key}`;
    })
    .join('');
}

/** What the schema has against a value, in words that follow the field's name. */
export function issueText(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return issue.input === undefined ? 'is required' : `must be ${typeText(issue.expected)}`;
    case 'invalid_value':
      if (issue.input === undefined) return 'is required';
      return `must be ${issue.values.map(String).join(' or ')}`;
    case 'too_small':
      return `must ${amountText(issue.origin, `at least ${issue.minimum}`)}`;
    case 'too_big':
      return `must ${amountText(issue.origin, `at most ${issue.maximum}`)}`;
    default:
      // Patterns and cross-field rules carry words of their own.
      return issue.message;
  }
}

function amountText(origin: string, amount: string): string {
  if (origin === 'string') return `have ${amount} characters`;
  if (origin === 'array') return `have ${amount} entries`;
  return `be ${amount}`;
}

const typeText = (expected: string): string =>
  ({
    int: 'a whole number',
    number: 'a number',
    string: 'text (a bare number or yes/no needs quotes)',
    object: 'a block of fields',
    record: 'a block of fields',
    array: 'a list',
    boolean: 'true or false',
  })[expected] ?? `of type ${expected}`;

/** Fields that the schema does not know, which `kubectl apply` refuses too. */
export function unknownFields(
  value: unknown,
  schema: OpenApi,
  path: readonly PropertyKey[] = [],
): Fault[] {
  if (Array.isArray(value)) {
    const { items } = schema;
    if (items === undefined) return [];
    return value.flatMap((item, index) => unknownFields(item, items, [...path, index]));
  }
  if (typeof value !== 'object' || value === null || schema.properties === undefined) return [];
  const known = schema.properties;
  return Object.entries(value).flatMap(([key, inner]) => {
    const field = Object.hasOwn(known, key) ? known[key] : undefined;
    if (field !== undefined) return unknownFields(inner, field, [...path, key]);
    return [{ path: [...path, key], text: unknownText(key, Object.keys(known)) }];
  });
}

export function unknownText(key: string, known: Iterable<string>): string {
  // The only keys of YAML 1.1 that are not what was written.
  if (key === 'true' || key === 'false') {
    const words = key === 'true' ? '`on`, `yes` or `y`' : '`off`, `no` or `n`';
    return `is no known field: YAML takes a bare ${words} for ${key}; write it in quotes`;
  }
  const nearest = nearestName(key, known);
  return nearest === undefined ? 'is no known field' : `is no known field; is ${nearest} meant?`;
}

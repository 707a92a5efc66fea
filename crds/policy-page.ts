import { readFileSync } from 'node:fs';
import { policyOpenApi } from './custom-resource-definition.ts';
import type { OpenApi } from './open-api.ts';

/** docs/policy.md: the text of policy-page.md, in which `{{fields spec.redis[]}}` stands for a table of what the schema says. */
export function policyPage(): string {
  const text = readFileSync(new URL('policy-page.md', import.meta.url), 'utf8');
  const marker = /^\{\{fields (\S+)\}\}$/gm;
  const sections = new Set([...text.matchAll(marker)].map(([, path = '']) => path));
  const page = text.replaceAll(marker, (_, path: string) => fieldTable(path, sections));
  const [title = '', ...rest] = page.split('\n');
  const origin =
    '<!-- Made from crds/policy-page.md and the schema by `npm run generate`. Change it there. -->';
  return [title, '', origin, ...rest].join('\n');
}

/** Everything at and below a path, but for what has a table of its own; and the rules over several fields. */
function fieldTable(path: string, sections: ReadonlySet<string>): string {
  const rows: string[] = [];
  const rules: string[] = [];
  const walk = (schema: OpenApi, at: string, name: string): void => {
    for (const { message, rule } of validations(schema)) {
      // The minimum of a field, which stands in its row.
      if (rule.startsWith('self >=')) continue;
      rules.push(`- ${name === '' ? '' : `\`${name}\`: `}${message}`);
    }
    for (const [key, field] of Object.entries(schema.properties ?? {})) {
      const inner = { path: `${at}.${key}`, name: name === '' ? key : `${name}.${key}` };
      const items = field.items?.properties === undefined ? undefined : field.items;
      const elsewhere = [inner.path, `${inner.path}[]`].some((each) => sections.has(each));
      const isRequired = (schema.required ?? []).includes(key);
      rows.push(row(inner.name, field, isRequired));
      if (elsewhere) continue;
      if (field.properties !== undefined) walk(field, inner.path, inner.name);
      if (items !== undefined) walk(items, `${inner.path}[]`, `${inner.name}[]`);
    }
  };
  walk(at(path), path, '');
  const table = [
    '| field | what it takes | default | what it means |',
    '|---|---|---|---|',
    ...rows,
  ];
  return [...table, ...(rules.length === 0 ? [] : ['', 'Rules:', '', ...rules])].join('\n');
}

function at(path: string): OpenApi {
  let schema = policyOpenApi();
  for (const step of path.replaceAll('[]', '.[]').split('.')) {
    const next = step === '[]' ? schema.items : schema.properties?.[step];
    if (next === undefined) throw new Error(`policy-page.md: the schema has no ${path}`);
    schema = next;
  }
  return schema;
}

const validations = (schema: OpenApi) =>
  (schema['x-kubernetes-validations'] ?? []) as readonly { rule: string; message: string }[];

function row(name: string, schema: OpenApi, isRequired: boolean): string {
  const cells = [
    `\`${name}\``,
    typeText(schema, name),
    isRequired ? '**required**' : defaultText(schema, name),
    schema['description'] as string,
  ];
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}

function typeText(schema: OpenApi, name: string): string {
  const { minimum, maximum, maxLength, maxItems, maxProperties } = schema as Record<string, number>;
  switch (schema.type) {
    case 'integer':
    case 'number': {
      const kind = schema.type === 'integer' ? '' : 'number, ';
      return `${kind}${amount(minimum, name)} to ${amount(maximum, name)}`;
    }
    case 'string': {
      const choices = schema['enum'] as readonly string[] | undefined;
      if (choices !== undefined) return choices.map((choice) => `\`${choice}\``).join(', ');
      return `${wordsFor(schema['pattern'])}, at most ${maxLength} characters`;
    }
    case 'boolean':
      return '`true`, `false`';
    case 'array': {
      const { items = {} } = schema;
      const of = items.properties === undefined ? ` of ${typeText(items, name)}` : ' of blocks';
      return `list${of}, at most ${maxItems}`;
    }
    case undefined:
    default:
      return maxProperties === undefined
        ? 'block'
        : `names and values, at most ${maxProperties}; a value is ${typeText(schema.additionalProperties ?? {}, name)}`;
  }
}

/** What each pattern says, for people. */
const patterns: Readonly<Record<string, string>> = {
  '^[a-z0-9]([-a-z0-9]*[a-z0-9])?$': 'lower-case letters, digits and `-`',
  '^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$':
    'lower-case letters, digits, `-` and `.`',
  '^\\.?[-_a-zA-Z0-9][-._a-zA-Z0-9]*$': 'letters, digits, `-`, `_` and `.`',
  '^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$': 'letters, digits, `-`, `_` and `.`',
  '^[a-z0-9][-_a-z0-9]*$': 'lower-case letters, digits, `-` and `_`',
  '^[\\t -~]*$': 'printable ASCII',
};

function wordsFor(pattern: unknown): string {
  if (pattern === undefined) return 'text';
  const words = patterns[pattern as string];
  if (words !== undefined) return words;
  if ((pattern as string).startsWith('^https?:')) return 'URL without user, query and fragment';
  throw new Error(`policy-page.ts has no words for the pattern ${pattern as string}`);
}

function defaultText(schema: OpenApi, name: string): string {
  const given = schema['default'];
  if (given === undefined) return 'absent';
  if (schema.type === 'object') return 'as its fields say';
  if (Array.isArray(given)) return given.length === 0 ? 'none' : given.map(String).join(', ');
  if (typeof given === 'number') return amount(given, name);
  return given === '' ? 'empty' : `\`${given as string | boolean}\``;
}

const timeUnits = [
  [86_400_000, 'd'],
  [3_600_000, 'h'],
  [60_000, 'min'],
  [1_000, 's'],
] as const;
const byteUnits = [
  [1024 ** 3, 'GiB'],
  [1024 ** 2, 'MiB'],
  [1024, 'KiB'],
] as const;

/** A number, and what it is in a larger unit: `5000` (5 s). */
function amount(value: number | undefined, name: string): string {
  if (value === undefined) throw new Error(`${name} has no range`);
  const units = name.endsWith('Ms') ? timeUnits : name.endsWith('Bytes') ? byteUnits : [];
  const unit = units.find(([size]) => value >= size && value % size === 0);
  return unit === undefined ? `\`${value}\`` : `\`${value}\` (${value / unit[0]} ${unit[1]})`;
}

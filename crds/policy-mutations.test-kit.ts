import fc from 'fast-check';
import { policyOpenApi } from './custom-resource-definition.ts';
import type { OpenApi } from './open-api.ts';
import { fullPolicy } from './full-policy.test-kit.ts';

interface Place {
  readonly path: readonly (string | number)[];
  readonly schema: OpenApi;
}

const spec = policyOpenApi().properties?.['spec'] as OpenApi;

/** Every place of the full policy below `spec`, with what the schema says of it. */
export const places: readonly Place[] = below((fullPolicy as { spec: object }).spec, spec, [
  'spec',
]);

function below(value: unknown, schema: OpenApi, path: Place['path']): Place[] {
  const here = { path, schema };
  if (Array.isArray(value)) {
    const items = schema.items as OpenApi;
    return [here, ...value.flatMap((item, index) => below(item, items, [...path, index]))];
  }
  if (typeof value !== 'object' || value === null) return [here];
  const inner = Object.entries(value).flatMap(([key, each]) =>
    below(each, schema.properties?.[key] ?? (schema.additionalProperties as OpenApi), [
      ...path,
      key,
    ]),
  );
  return [here, ...inner];
}

/** Values of which some are good for a field and some are not; never null, which kubectl drops. */
function values({ schema }: Place): fc.Arbitrary<unknown> {
  const {
    minimum = 0,
    maximum = 100,
    pattern = '^[a-z]*$',
    maxLength: length = 10,
  } = schema as { minimum?: number; maximum?: number; pattern?: string; maxLength?: number };
  const strangers = fc.constantFrom<unknown>(-1, 0, 0.5, 7, 'x', '', true, [], {}, [{}], { x: 1 });
  switch (schema.type) {
    case 'integer':
    case 'number':
      return fc.oneof(
        fc.constantFrom(minimum - 1, minimum, maximum, maximum + 1, minimum / 2, minimum + 0.5),
        fc.integer({ min: Math.ceil(minimum), max: Math.floor(maximum) }),
        strangers,
      );
    case 'string':
      return fc.oneof(
        fc.string({ maxLength: 8 }),
        fc.string({ unit: 'binary', maxLength: 4 }),
        fc.stringMatching(new RegExp(pattern)),
        fc.constantFrom('a'.repeat(length), 'a'.repeat(length + 1), 'Redis', 'Guard', 'api', 'a\n'),
        strangers,
      );
    case undefined:
    default:
      return strangers;
  }
}

/** The full policy with one to three changes: a value, a field less, a field more, an item twice. */
export const mutations: fc.Arbitrary<object> = fc
  .array(
    fc
      .constantFrom(...places)
      .chain((place) =>
        fc.oneof(
          { weight: 5, arbitrary: values(place).map((value) => ({ place, set: value })) },
          { weight: 1, arbitrary: fc.constant({ place, remove: true }) },
          { weight: 1, arbitrary: fc.constant({ place, stranger: true }) },
          { weight: 1, arbitrary: fc.constant({ place, twice: true }) },
        ),
      ),
    { minLength: 1, maxLength: 3 },
  )
  .map((changes) => {
    // Not structuredClone, which would keep what two places share as one.
    const policy = JSON.parse(JSON.stringify(fullPolicy)) as object;
    for (const change of changes) apply(policy, change);
    return policy;
  });

interface Change {
  readonly place: Place;
  readonly set?: unknown;
  readonly remove?: boolean;
  readonly stranger?: boolean;
  readonly twice?: boolean;
}

function apply(policy: object, { place: { path }, set, remove, stranger, twice }: Change): void {
  const last = path.at(-1) as string | number;
  let owner: unknown = policy;
  for (const step of path.slice(0, -1)) {
    // An earlier change has taken it away.
    if (typeof owner !== 'object' || owner === null) return;
    owner = (owner as Record<string | number, unknown>)[step];
  }
  if (typeof owner !== 'object' || owner === null) return;
  const fields = owner as Record<string | number, unknown>;
  const value = fields[last];
  if (remove === true && Array.isArray(owner)) owner.splice(Number(last), 1);
  else if (remove === true) delete fields[last];
  else if (stranger === true && isBlock(value)) Object.assign(value, { stranger: 1 });
  else if (twice === true && Array.isArray(value)) value.push(structuredClone(value[0] ?? {}));
  else if (set !== undefined && !(Array.isArray(owner) && Number(last) > owner.length)) {
    fields[last] = structuredClone(set);
  }
}

const isBlock = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

import { z } from 'zod';

/** The part of an OpenAPI schema that is read here; the rest is passed on. */
export interface OpenApi {
  readonly [keyword: string]: unknown;
  readonly type?: string;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, OpenApi>>;
  readonly additionalProperties?: OpenApi;
  readonly items?: OpenApi;
}

/** A schema in OpenAPI 3.0, in which the API server sees what the parser sees. */
export const openApiOf = (schema: z.ZodType): OpenApi =>
  forApiServer(z.toJSONSchema(schema, { target: 'openapi-3.0', io: 'input' }) as OpenApi);

function forApiServer(schema: OpenApi): OpenApi {
  const properties = Object.fromEntries(
    Object.entries(schema.properties ?? {}).map(([key, inner]) => [key, forApiServer(inner)]),
  );
  return {
    ...schema,
    ...(schema.properties === undefined ? {} : { properties }),
    ...(schema.items === undefined ? {} : { items: forApiServer(schema.items) }),
    ...wholeDefault({ ...schema, properties }),
    ...fractionalMinimum(schema),
  };
}

/** It holds a block's rules against its default as it stands, so `{}` has to have the defaults of its fields in it. */
function wholeDefault({ properties = {}, default: given }: OpenApi): object {
  if (typeof given !== 'object' || Array.isArray(given)) return {};
  const whole: Record<string, unknown> = {};
  for (const [key, inner] of Object.entries(properties)) {
    if (inner['default'] !== undefined) whole[key] = inner['default'];
  }
  return { default: { ...whole, ...given } };
}

/** It rounds a minimum down before it compares a whole number with it: 0 would pass for 0.01. */
function fractionalMinimum({ minimum }: OpenApi): object {
  if (typeof minimum !== 'number' || Number.isInteger(minimum)) return {};
  return {
    'x-kubernetes-validations': [
      { rule: `self >= ${minimum}`, message: `must be at least ${minimum}` },
    ],
  };
}

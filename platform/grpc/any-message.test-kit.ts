import fc from 'fast-check';
import protobuf from 'protobufjs';

const text = fc.string({ unit: 'grapheme', maxLength: 12 });
const scalars: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  string: text,
  bytes: fc.uint8Array({ maxLength: 12 }).map((bytes) => Buffer.from(bytes)),
  bool: fc.boolean(),
  uint32: fc.oneof(fc.nat(0xffff_ffff), fc.constantFrom(0, 0xffff_ffff)),
  int32: fc.integer(),
  sint32: fc.integer(),
  uint64: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map(String),
  int64: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String),
  double: fc.double().map((value) => (value === 0 ? 0 : value)),
};

/** Any message of the type, as a plain object; `depth` bounds what nests in itself. */
export function anyMessage(type: protobuf.Type, depth = 3): fc.Arbitrary<Record<string, unknown>> {
  const alone = type.fieldsArray.filter(({ partOf }) => partOf === null);
  const plain = fc.record(
    Object.fromEntries(alone.map((field) => [field.name, fieldOf(field, depth)])),
    { requiredKeys: [] },
  );
  const choices = type.oneofsArray.map(({ fieldsArray }) =>
    fc.oneof(
      fc.constant({}),
      ...fieldsArray.map((field) =>
        depth === 0 && field.resolvedType instanceof protobuf.Type
          ? fc.constant({})
          : fieldOf(field, depth).map((value) => ({ [field.name]: value })),
      ),
    ),
  );
  return fc
    .tuple(plain, ...choices)
    .map((parts) => Object.assign({}, ...parts) as object as Record<string, unknown>);
}

function fieldOf(field: protobuf.Field, depth: number): fc.Arbitrary<unknown> {
  const value = valueOf(field.resolve(), depth);
  const most = depth === 0 ? 0 : 3;
  if (field instanceof protobuf.MapField) return fc.dictionary(text, value, { maxKeys: most });
  return field.repeated ? fc.array(value, { maxLength: most }) : value;
}

function valueOf({ type, resolvedType }: protobuf.Field, depth: number): fc.Arbitrary<unknown> {
  if (resolvedType instanceof protobuf.Enum) {
    return fc.constantFrom(...Object.keys(resolvedType.values));
  }
  if (resolvedType instanceof protobuf.Type) {
    return anyMessage(resolvedType, Math.max(0, depth - 1));
  }
  const scalar = scalars[type];
  if (scalar === undefined) throw new Error(`no values are known for the type ${type}`);
  return scalar;
}

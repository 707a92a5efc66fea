import { execFile, type ExecFileException } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { preparePython } from '../../scripts/dev/python-environment.ts';
import { redisUrl, type TestDatabase, testDatabase } from '../../scripts/servers/test-database.ts';
import { startSidecar, type TestSidecar } from '../../sidecar/sidecar.test-kit.ts';

const here = import.meta.dirname;
const checkout = join(here, '../..');
const python = join(checkout, '.holdfast/python/bin/python');
const stubs = join(checkout, '.holdfast/python-stubs');

let database: TestDatabase;
let sidecar: TestSidecar;

beforeAll(async () => {
  database = await testDatabase();
  sidecar = await startSidecar({ databaseUrl: database.url, redisUrl: redisUrl() });
  const isReady = await preparePython(checkout, AbortSignal.timeout(170_000));
  if (!isReady) throw new Error('no Python environment');
  mkdirSync(stubs, { recursive: true });
  await run(join(here, 'generate.sh'), [stubs]);
}, 180_000);

afterAll(async () => {
  await sidecar.stop();
  await database.drop();
});

/** Runs a program with the environment of the examples; its standard output. */
function run(program: string, args: readonly string[], input = ''): Promise<string> {
  return new Promise((resolve, reject) => {
    const env = { ...process.env, PYTHON: python, PYTHONPATH: stubs };
    const done = (error: ExecFileException | null, out: string, errors: string): void => {
      if (error === null) resolve(out);
      else reject(new Error(`${error.message}\n${errors}`));
    };
    const child = execFile(program, args, { env, timeout: 60_000 }, done);
    child.stdin?.end(input);
  });
}

test('the example runs with stock stubs', async () => {
  const output = await run(python, [join(here, 'example.py'), sidecar.address]);
  expect(output.trim().split('\n')).toEqual([
    "query [{'next': '42', 'name': 'Ada'}]",
    "accounts [{'id': '1', 'balance': '100'}, {'id': '2', 'balance': '0.50'}]",
    'error ALREADY_EXISTS DATABASE_ERROR 23505 accounts_pkey',
    'redis hello',
  ]);
}, 60_000);

const word = fc
  .string({ unit: 'grapheme', maxLength: 20 })
  .map((text) => text.replaceAll('\0', ''))
  .filter((text) => text.isWellFormed());
const quoted = (text: string): string => `"${text.replaceAll(/["\\]/g, String.raw`\$&`)}"`;
const two = (max: number, min = 0): fc.Arbitrary<string> =>
  fc.integer({ min, max }).map((part) => String(part).padStart(2, '0'));
const day = fc
  .tuple(fc.integer({ min: 1000, max: 9999 }), two(12, 1), two(28, 1))
  .map((parts) => parts.join('-'));
const time = fc.tuple(two(23), two(59), two(59)).map((parts) => parts.join(':'));
const instant = fc.tuple(day, time).map((parts) => parts.join(' '));
const infinite = (values: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc.oneof({ weight: 9, arbitrary: values }, fc.constantFrom('infinity', '-infinity'));
const numeric = fc
  .tuple(fc.bigInt(), fc.nat(999_999))
  .map(([whole, fraction]) => `${whole}.${fraction}`);

/** Texts exactly as PostgreSQL writes them. */
const types: Record<string, fc.Arbitrary<string>> = {
  bool: fc.constantFrom('t', 'f'),
  int2: fc.integer({ min: -32_768, max: 32_767 }).map(String),
  int4: fc.integer().map(String),
  int8: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String),
  float4: fc.constantFrom('1.5', '-0', '1e-45', 'NaN', 'Infinity', '-Infinity'),
  float8: fc.constantFrom('0.1', '-0', '5e-324', 'NaN', 'Infinity', '-Infinity'),
  numeric: fc.oneof(numeric, fc.constantFrom('NaN', 'Infinity', '-Infinity')),
  text: word,
  varchar: word,
  bytea: fc.uint8Array().map((bytes) => String.raw`\x${Buffer.from(bytes).toString('hex')}`),
  uuid: fc.uuid(),
  date: infinite(day),
  time,
  timestamp: infinite(instant),
  timestamptz: infinite(instant.map((text) => `${text}.000001+00`)),
  interval: fc
    .tuple(fc.integer({ min: 2, max: 99 }), fc.integer({ min: 2, max: 11 }), time)
    .map(
      ([years, months, rest]) =>
        `${years} years ${months} mons 3 days ${rest.replace(/^00:00:00$/, '00:00:01')}`,
    ),
  json: fc.json({ maxDepth: 2 }).filter((text) => !/\\u0000|\\ud[89a-f]/i.test(text)),
  jsonb: fc.constantFrom('{"a": [1, null, "ä"]}', '"x"', '1.50', 'null', '[]'),
  'int4[]': fc
    .array(fc.option(fc.integer()))
    .map((items) => `{${items.map((item) => item ?? 'NULL').join(',')}}`),
  'text[]': fc
    .array(
      word.map((text) => `${text} `),
      { minLength: 1 },
    )
    .map((items) => `{${items.map(quoted).join(',')}}`),
  'numeric[][]': fc.constant('{{1.0,NaN},{NULL,2}}'),
  int4range: fc.constantFrom('empty', '[1,5)', '(,5)'),
  numrange: fc.constantFrom('(,)', '[1.5,2.5]', '(-Infinity,1]'),
  tstzrange: fc.constant('["2026-01-01 00:00:00+00","2026-01-02 00:00:00+00")'),
  int8multirange: fc.constantFrom('{}', '{[1,3),[5,9)}'),
  pair: fc.constantFrom('(1,x)', '(,"a b")', '(1,)', '(-5,"")', '(1,"a ""q"" \\\\")'),
  inet: fc.ipV4(),
  bit: fc.constantFrom('0', '1'),
  mood: fc.constantFrom('sad', "it's ok"),
  point: fc.constant('(1.5,-2)'),
};

test('values of every type come back as text', async () => {
  const sql = [
    'create type pair as (a int4, b text)',
    "create type mood as enum ('sad', 'it''s ok')",
  ];
  for (const each of sql) await run(python, ['-c', oneQuery, sidecar.address, each]);
  const cases = Object.entries(types).flatMap(([type, values]) => [
    { type, value: null },
    ...fc.sample(values, { numRuns: 100 }).map((value) => ({ type, value })),
  ]);
  const script = join(here, 'round_trip.py');
  const output = await run(python, [script, sidecar.address], JSON.stringify(cases));
  expect(output).toContain(`${cases.length} values came back as they were`);
}, 60_000);

const oneQuery = `
import sys, grpc
from holdfast.v1 import database_pb2, database_pb2_grpc
_, address, sql = sys.argv
database_pb2_grpc.DatabaseStub(grpc.insecure_channel(address)).Query(database_pb2.QueryRequest(sql=sql), timeout=10)
`;

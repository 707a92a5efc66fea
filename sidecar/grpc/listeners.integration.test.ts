import {
  Client,
  credentials,
  Metadata,
  type ClientReadableStream,
  type ServiceDefinition,
} from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { protoPath } from 'grpc-health-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { testDatabase, type TestDatabase } from '../../scripts/servers/test-database.ts';
import { failing } from './failure.test-kit.ts';
import { RawSession } from './raw-session.test-kit.ts';
import { StockClient } from './stock-client.test-kit.ts';
import { TestBed } from './test-bed.test-kit.ts';

/** The Unix socket, which lets in whoever can open it, and TCP, which asks for the token. */

interface Health {
  readonly status: string;
}

const health = loadSync(protoPath, { enums: String })['grpc.health.v1.Health'] as ServiceDefinition;
const reflection = '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo';
const query = { sql: 'select 1' };

let database: TestDatabase;
let bed: TestBed;

beforeAll(async () => {
  database = await testDatabase();
  bed = await TestBed.open(database.url);
});
afterAll(async () => {
  await bed[Symbol.asyncDispose]();
  await database.drop();
});

const bearer = (token: string): Metadata => {
  const metadata = new Metadata();
  metadata.set('authorization', `Bearer ${token}`);
  return metadata;
};
const channel = (address: string): Client & Disposable => {
  const client = new Client(address, credentials.createInsecure());
  return Object.assign(client, { [Symbol.dispose]: () => client.close() });
};

function method(name: 'Check' | 'Watch') {
  const found = health[name];
  if (found === undefined) throw new Error(`health has no ${name}`);
  return found;
}

function check(client: Client): Promise<Health> {
  const { path, requestSerialize, responseDeserialize } = method('Check');
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(path, requestSerialize, responseDeserialize, {}, (error, answer) =>
      error === null ? resolve(answer as Health) : reject(error),
    );
  });
}

/** Asks for the names of all services. */
function reflected(client: Client, metadata = new Metadata()): Promise<string> {
  const same = (bytes: Buffer): Buffer => bytes;
  return new Promise((resolve, reject) => {
    const stream = client.makeBidiStreamRequest(reflection, same, same, metadata);
    stream.on('data', (bytes: Buffer) => {
      resolve(bytes.toString('latin1'));
      stream.cancel();
    });
    stream.on('error', reject);
    stream.write(Buffer.from([0x3a, 0x01, 0x2a])); // list_services = "*"
  });
}

describe('health', () => {
  test('is told to whoever asks, without a token', async () => {
    for (const address of [bed.sidecar.address, bed.sidecar.tcpAddress]) {
      using client = channel(address);
      expect(await check(client)).toEqual({ status: 'SERVING' });
    }
  });

  test('is told to those who watch, when it changes', async () => {
    const stopping = await TestBed.open(database.url);
    const { path, requestSerialize, responseDeserialize } = method('Watch');
    using client = channel(stopping.sidecar.tcpAddress);
    const stream = client.makeServerStreamRequest(
      path,
      requestSerialize,
      responseDeserialize,
      {},
    ) as ClientReadableStream<Health>;
    stream.on('error', () => {});
    const seen: string[] = [];
    const first = new Promise((resolve) => stream.once('data', resolve));
    stream.on('data', ({ status }: Health) => seen.push(status));
    await first;
    await stopping[Symbol.asyncDispose]();
    expect(seen).toEqual(['SERVING', 'NOT_SERVING']);
  });
});

describe('reflection', () => {
  test('names every service', async () => {
    using client = channel(bed.sidecar.address);
    const names = await reflected(client);
    for (const service of ['Database', 'Redis', 'Session']) {
      expect(names).toContain(`holdfast.v1.${service}`);
    }
  });

  test('asks for the token over TCP', async () => {
    using client = channel(bed.sidecar.tcpAddress);
    expect(await failing(reflected(client))).toMatchObject({ reason: 'TOKEN_REQUIRED' });
    expect(await reflected(client, bearer(bed.sidecar.token))).toContain('holdfast.v1.Database');
  });
});

describe('over TCP', () => {
  const refused = {
    status: 'UNAUTHENTICATED',
    reason: 'TOKEN_REQUIRED',
    domain: 'holdfast.dev',
  };
  const wrong = 'test-token-test-token-test-token-test-tokem';

  test.for([
    ['no token', new Metadata()],
    ['a wrong token', bearer(wrong)],
    ['an empty token', bearer('')],
  ] as const)('%s is refused on every transport', async ([, metadata]) => {
    using stock = new StockClient(bed.sidecar.tcpAddress, metadata);
    expect(await failing(stock.query(query))).toMatchObject(refused);
    expect(await failing(stock.batch({ statements: [query] }))).toMatchObject(refused);
    expect(await failing(stock.stream({ query }).toArray())).toMatchObject(refused);
    expect(await stock.transaction().ended).toMatchObject(refused);
    using session = new RawSession(bed.sidecar.tcpAddress, metadata);
    session.send({ id: 1, query });
    expect(await session.ended).toMatchObject(refused);
    expect(session.frames).toEqual([]);
  });

  test('the token opens every transport', async () => {
    const metadata = bearer(bed.sidecar.token);
    using stock = new StockClient(bed.sidecar.tcpAddress, metadata);
    expect((await stock.query(query)).rows).toHaveLength(1);
    const transaction = stock.transaction();
    expect((await transaction.ask({ begin: {} })).response).toBe('begun');
    using session = new RawSession(bed.sidecar.tcpAddress, metadata);
    expect(await session.rows('select 1')).toEqual([['1']]);
  });
});

test('over the Unix socket no token is asked for', async () => {
  using stock = new StockClient(bed.sidecar.address);
  expect((await stock.query(query)).rows).toHaveLength(1);
  using session = new RawSession(bed.sidecar.address);
  expect(await session.rows('select 1')).toEqual([['1']]);
});

import {
  Client,
  credentials,
  Metadata,
  Server,
  ServerCredentials,
  status,
  type ServiceError,
} from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadMessages } from '../../platform/grpc/contract.ts';
import { StatusEncoder } from '../../platform/grpc/status.ts';
import { requireToken } from './token.ts';

const token = 'q2VxZ3Vlc3Mgd2hhdCBpcyBpbnNpZGUgaGVyZQ';
const messages = loadMessages();
const asIs = (bytes: Buffer): Buffer => bytes;

/** A service of one method, which answers with what it was asked. */
const echo = (path: string): [object, object] => [
  {
    Echo: {
      path,
      requestStream: false,
      responseStream: false,
      requestSerialize: asIs,
      requestDeserialize: asIs,
      responseSerialize: asIs,
      responseDeserialize: asIs,
    },
  },
  {
    Echo: (
      { request }: { request: Buffer },
      answer: (error: null, response: Buffer) => void,
    ): void => answer(null, request),
  },
];

let server: Server;
let client: Client;

beforeAll(async () => {
  server = new Server({ interceptors: [requireToken(token, new StatusEncoder(messages))] });
  for (const path of [
    '/holdfast.v1.Echo/Echo',
    '/grpc.health.v1.Health/Check',
    '/grpc.health.v1.HealthX/Check',
  ]) {
    server.addService(...(echo(path) as Parameters<Server['addService']>));
  }
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) =>
      error === null ? resolve(port) : reject(error),
    );
  });
  client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
});
afterAll(() => {
  client.close();
  server.forceShutdown();
});

const call = (path: string, authorization?: string): Promise<string> => {
  const metadata = new Metadata();
  if (authorization !== undefined) metadata.set('authorization', authorization);
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(path, asIs, asIs, Buffer.from('hello'), metadata, (error, response) =>
      error === null ? resolve(`${response?.toString()}`) : reject(error),
    );
  });
};

test('a call with the token is served', async () => {
  expect(await call('/holdfast.v1.Echo/Echo', `Bearer ${token}`)).toBe('hello');
});

describe('a call is refused', () => {
  test.each([
    ['without a token', undefined],
    ['with an empty one', 'Bearer '],
    ['with another one', `Bearer ${token.replace('q', 'r')}`],
    ['with one that is cut off', `Bearer ${token.slice(0, -1)}`],
    ['with one that goes on', `Bearer ${token}=`],
    ['with the token alone', token],
    ['with another scheme', `Basic ${token}`],
  ])('%s', async (_how, authorization) => {
    const error = await call('/holdfast.v1.Echo/Echo', authorization).catch(
      (error: unknown) => error as ServiceError,
    );
    expect(error).toMatchObject({ code: status.UNAUTHENTICATED });
    const { details, metadata } = error as ServiceError;
    expect(details).toContain('HOLDFAST_TOKEN_FILE');
    const [bytes] = metadata.get('grpc-status-details-bin');
    expect(String(bytes)).toContain('TOKEN_REQUIRED');
    expect(`${details}${String(bytes)}`).not.toContain(token);
  });
});

test('health checks need no token, and nothing else passes for one', async () => {
  expect(await call('/grpc.health.v1.Health/Check')).toBe('hello');
  await expect(call('/grpc.health.v1.HealthX/Check')).rejects.toMatchObject({
    code: status.UNAUTHENTICATED,
  });
});

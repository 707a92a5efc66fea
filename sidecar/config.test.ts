import { describe, expect, test } from 'vitest';
import { databaseUrl, faultOf, read, urls } from './config.test-kit.ts';

const token = 'A'.repeat(43);

describe('two URLs are enough', () => {
  test('everything else has a default', () => {
    expect(read({ ...urls, REDIS_URL: 'redis://cache.example', PATH: '/bin' })).toMatchObject({
      postgres: [
        {
          name: 'default',
          pool: { min: 2, max: 10 },
          statementTimeoutMs: 30_000,
          connection: {
            hosts: [{ host: 'db.example', port: 5433 }],
            user: 'app',
            password: 's3cret',
            database: 'orders',
            applicationName: 'holdfast',
            targetSessionAttrs: 'any',
            tls: undefined,
          },
        },
      ],
      redis: [
        {
          name: 'default',
          connections: 2,
          connection: {
            place: { kind: 'server', host: 'cache.example', port: 6379 },
            password: undefined,
            database: 0,
            tls: undefined,
          },
        },
      ],
      redisOff: false,
      policies: [],
      server: {
        socket: '/run/holdfast/holdfast.sock',
        socketMode: 0o660,
        tcp: undefined,
        httpPort: 9464,
        maxMessageBytes: 64 * 1024 * 1024,
        session: { maxInFlight: 12_000, maxInFlightBytes: 64 * 1024 * 1024, stallMs: 30_000 },
      },
      stateDir: undefined,
      logLevel: 'info',
      graceMs: 25_000,
    });
  });

  test('REDIS_URL=off: no Redis, and said so', () => {
    expect(read(urls)).toMatchObject({ redis: [], redisOff: true });
  });

  test.each([
    [
      { REDIS_URL: 'off' },
      'DATABASE_URL is missing: set it, or name a pool in HOLDFAST_POLICY_FILE',
    ],
    [
      { DATABASE_URL: databaseUrl },
      'REDIS_URL is missing: set it, set it to off, or name a pool in HOLDFAST_POLICY_FILE',
    ],
    [{}, 'DATABASE_URL is missing: set it, or name a pool in HOLDFAST_POLICY_FILE'],
  ])('%j', (env, fault) => {
    expect(faultOf(env)).toBe(fault);
  });
});

describe('a variable that cannot be used', () => {
  const tcp = { HOLDFAST_PORT: '0', HOLDFAST_TOKEN_FILE: '/token' };
  test.each([
    [{ HOLDFAST_SOKCET: '/a' }, 'HOLDFAST_SOKCET is no setting: is HOLDFAST_SOCKET meant?'],
    [
      { HOLDFAST_FROBNICATE_ALL: '1' },
      'HOLDFAST_FROBNICATE_ALL is no setting: docs/settings.md lists them',
    ],
    [
      { HOLDFAST_PORT: '65536', HOLDFAST_TOKEN_FILE: '/token' },
      'HOLDFAST_PORT must be a whole number from 0 to 65535',
    ],
    [
      { HOLDFAST_PORT: '0x50', HOLDFAST_TOKEN_FILE: '/token' },
      'HOLDFAST_PORT must be a whole number from 0 to 65535',
    ],
    [{ HOLDFAST_HTTP_PORT: '-1' }, 'HOLDFAST_HTTP_PORT must be a whole number from 0 to 65535'],
    [{ HOLDFAST_GRACE_MS: '1.5' }, 'HOLDFAST_GRACE_MS must be a whole number from 0 to 3600000'],
    [{ HOLDFAST_GRACE_MS: '' }, 'HOLDFAST_GRACE_MS is empty: give it a value or leave it out'],
    [{ HOLDFAST_SOCKET: 'holdfast.sock' }, 'HOLDFAST_SOCKET must be an absolute path, or off'],
    [{ HOLDFAST_SOCKET: `/${'ä'.repeat(54)}` }, 'HOLDFAST_SOCKET must be at most 107 bytes long'],
    [{ HOLDFAST_STATE_DIR: 'state' }, 'HOLDFAST_STATE_DIR must be an absolute path'],
    [
      { HOLDFAST_LOG_LEVEL: 'loud' },
      'HOLDFAST_LOG_LEVEL must be one of trace, debug, info, warn, error, fatal, silent',
    ],
    [
      { HOLDFAST_HOST: '0.0.0.0' },
      'HOLDFAST_HOST must be a loopback address (127.0.0.1, ::1 or localhost): the token travels in plain text',
    ],
    [
      { HOLDFAST_HOST: '127.0.0.300' },
      'HOLDFAST_HOST must be a loopback address (127.0.0.1, ::1 or localhost): the token travels in plain text',
    ],
    [
      { HOLDFAST_PORT: '0' },
      'HOLDFAST_PORT needs HOLDFAST_TOKEN_FILE: every process on the machine can reach a TCP port',
    ],
    [tcp, 'HOLDFAST_TOKEN_FILE /token cannot be read (ENOENT)'],
    [
      { HOLDFAST_SOCKET: 'off' },
      'HOLDFAST_SOCKET is off and HOLDFAST_PORT is not set: serve at least one of them',
    ],
  ])('%j', (env, fault) => {
    expect(faultOf({ ...urls, ...env })).toBe(fault);
  });

  test.each([
    '',
    'short',
    `${'A'.repeat(40)} ${'B'.repeat(40)}`,
    '{"token":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}',
  ])('a token file that holds %j', (text) => {
    const fault = faultOf({ ...urls, ...tcp }, { '/token': text });
    expect(fault).toBe(
      'HOLDFAST_TOKEN_FILE /token holds no token: it needs at least 32 characters of base64url, such as `openssl rand -base64 32` makes',
    );
  });

  test('TCP with a token', () => {
    const settings = read({ ...urls, ...tcp, HOLDFAST_SOCKET: 'off' }, { '/token': `${token}\n` });
    expect(settings.server).toMatchObject({
      socket: undefined,
      tcp: { host: '127.0.0.1', port: 0, token },
    });
  });

  test('what Kubernetes sets for Services called holdfast is passed over', () => {
    const links = {
      HOLDFAST_SERVICE_HOST: '10.0.0.1',
      HOLDFAST_SERVICE_PORT: '443',
      HOLDFAST_SERVICE_PORT_GRPC: '443',
      HOLDFAST_PORT: 'tcp://10.0.0.1:443',
      HOLDFAST_PORT_443_TCP: 'tcp://10.0.0.1:443',
      HOLDFAST_PORT_443_TCP_ADDR: '10.0.0.1',
      HOLDFAST_CONTROLLER_SERVICE_HOST: '10.0.0.2',
      HOLDFAST_CONTROLLER_PORT: 'tcp://10.0.0.2:443',
      HOLDFAST_CONTROLLER_PORT_443_TCP_PROTO: 'tcp',
    };
    expect(read({ ...urls, ...links }).server.tcp).toBeUndefined();
  });
});

describe('HOLDFAST_CONFIG_FILE', () => {
  const file = (text: string): string =>
    faultOf({ HOLDFAST_CONFIG_FILE: '/s.env' }, { '/s.env': text });

  test('gives what the environment leaves out', () => {
    const text = `# comment\n\nDATABASE_URL="${databaseUrl}"\nexport REDIS_URL = off\r\nHOLDFAST_GRACE_MS='100'\nHOLDFAST_HTTP_PORT=1\n`;
    const settings = read(
      { HOLDFAST_CONFIG_FILE: '/s.env', HOLDFAST_HTTP_PORT: '2' },
      { '/s.env': text },
    );
    expect(settings.graceMs).toBe(100);
    expect(settings.server.httpPort).toBe(2);
    expect(settings.postgres[0]?.connection.password).toBe('s3cret');
  });

  test.each([
    ['HOLDFAST_PROT=1', '/s.env: HOLDFAST_PROT is no setting: is HOLDFAST_PORT meant?'],
    ['PATH=/bin', '/s.env: PATH is no setting: docs/settings.md lists them'],
    ['\nsecret words', '/s.env:2: this is no NAME=value'],
    ['REDIS_URL=off\nREDIS_URL=off', '/s.env:2: REDIS_URL is set twice'],
    ['HOLDFAST_CONFIG_FILE=/t.env', '/s.env: HOLDFAST_CONFIG_FILE cannot stand in itself'],
  ])('%j', (text, fault) => {
    expect(file(text)).toBe(fault);
  });

  test('one that is not there', () => {
    expect(faultOf({ HOLDFAST_CONFIG_FILE: '/s.env' })).toBe(
      'HOLDFAST_CONFIG_FILE /s.env cannot be read (ENOENT)',
    );
  });
});

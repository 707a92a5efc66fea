import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readPostgresUrl } from './postgres-url.ts';
import { readRedisUrl } from './redis-url.ts';
import { SettingsError } from './settings-error.ts';

const faultOf = (readUrl: () => unknown): string => {
  try {
    readUrl();
  } catch (thrown) {
    if (thrown instanceof SettingsError) return thrown.message;
    throw thrown;
  }
  return 'no fault';
};
const postgresFault = (url: string): string => faultOf(() => readPostgresUrl(url, 'DATABASE_URL'));
const redisFault = (url: string): string => faultOf(() => readRedisUrl(url, 'REDIS_URL'));
const base = 'postgresql://u:p@h/db';

describe('a PostgreSQL URL', () => {
  test('with everything', () => {
    expect(
      readPostgresUrl(
        'postgres://us%40er:p%3Ass@h1:1,[::1]:2,10.0.0.1,%2Fvar%2Frun/d%20b?sslmode=verify-full&target_session_attrs=read-write&application_name=my%20app&connect_timeout=7&sslrootcert=/ca',
        'X',
      ),
    ).toEqual({
      hosts: [
        { host: 'h1', port: 1 },
        { host: '::1', port: 2 },
        { host: '10.0.0.1', port: 5432 },
        { host: '/var/run', port: 5432 },
      ],
      user: 'us@er',
      password: 'p:ss',
      database: 'd b',
      applicationName: 'my app',
      targetSessionAttrs: 'read-write',
      tlsMode: 'VerifyFull',
      caFile: '/ca',
      connectTimeoutMs: 7_000,
    });
  });

  test.each([
    ['', 'is empty: write it as postgresql://user:password@host:5432/database'],
    [
      'invalid://url',
      'has a scheme other than postgresql:// or postgres://: write it as postgresql://user:password@host:5432/database',
    ],
    ['postgresql://', 'names no host: write it as postgresql://user:password@host:5432/database'],
    [
      'postgresql://u:p@/db',
      'names no host: write it as postgresql://user:password@host:5432/database',
    ],
    ['postgresql://u:p@h1,,h2/db', 'has an empty host'],
    [
      'host=h password=s3cret',
      'has a blank or a control character in it: write it as postgresql://user:password@host:5432/database',
    ],
    ['localhost', 'is no URL: write it as postgresql://user:password@host:5432/database'],
    [
      'postgresql://h/db',
      'names no user: write it as postgresql://user:password@host:5432/database',
    ],
    [
      'postgresql://u:p@h',
      'names no database: write it as postgresql://user:password@host:5432/database',
    ],
    [
      'postgresql://u:p@h/',
      'names no database: write it as postgresql://user:password@host:5432/database',
    ],
    [
      'postgresql://u:p@h/a/b',
      'names no database: write it as postgresql://user:password@host:5432/database',
    ],
    ['postgresql://u:p@h:0/db', 'has a bad port: it is a number from 1 to 65535'],
    ['postgresql://u:p@h:65536/db', 'has a bad port: it is a number from 1 to 65535'],
    ['postgresql://u:p@h:abc/db', 'has a bad port: it is a number from 1 to 65535'],
    ['postgresql://u:p@h:/db', 'has a bad port: it is a number from 1 to 65535'],
    ['postgresql://u:p@h!/db', 'has a host with a character that no host name has'],
    [
      'postgresql://u:p@::1/db',
      'has a host that cannot be read: an IPv6 address needs brackets, a ":" in the password %3A',
    ],
    [`${base}?sslmod=require`, 'has an unknown option "sslmod": is sslmode meant?'],
    [
      `${base}?search_path=x`,
      'has an unknown option "search_path": known are sslmode, sslrootcert, target_session_attrs, application_name, connect_timeout',
    ],
    [
      `${base}?sslmode=prefer`,
      'has the option sslmode with an unknown value: known are disable, require, verify-full',
    ],
    [
      `${base}?sslmode=toString`,
      'has the option sslmode with an unknown value: known are disable, require, verify-full',
    ],
    [`${base}?sslmode`, 'has the option "sslmode" without a value'],
    [`${base}?sslmode=require&sslmode=require`, 'has the option "sslmode" twice'],
    [`${base}?sslrootcert=/ca`, 'has the option sslrootcert, which needs sslmode=verify-full'],
    [
      `${base}?target_session_attrs=prefer-standby`,
      'has the option target_session_attrs with an unknown value: known are any, read-write, read-only, primary, standby',
    ],
    [
      `${base}?connect_timeout=0`,
      'has a bad connect_timeout: it is a number of seconds from 1 to 600',
    ],
    [
      `${base}?connect_timeout=601`,
      'has a bad connect_timeout: it is a number of seconds from 1 to 600',
    ],
    [
      `${base}?application_name=%C3%A4`,
      'has an application_name that is not 1 to 63 printable ASCII characters',
    ],
    ['postgresql://u:%zz@h/db', 'has a "%" in its password that encodes nothing: write it as %25'],
    [
      'postgresql://u:a/b@h/db',
      'has an "@" behind its host: percent-encode what is special in the password (@ %40, : %3A, / %2F, ? %3F, # %23)',
    ],
    [
      'postgresql://u:a#b@h/db',
      'has an "@" behind its host: percent-encode what is special in the password (@ %40, : %3A, / %2F, ? %3F, # %23)',
    ],
    ['postgresql://u:p@h/db#x', 'has a "#" in it: percent-encode it as %23'],
    ['postgresql://user:s3cret?x', 'has a bad port: it is a number from 1 to 65535'],
    [
      'postgresql://h/db?s3cret',
      'has an unknown option: known are sslmode, sslrootcert, target_session_attrs, application_name, connect_timeout',
    ],
  ])('%j', (url, fault) => {
    expect(postgresFault(url)).toBe(`DATABASE_URL ${fault}`);
  });
});

describe('a Redis URL', () => {
  test.each([
    [
      'redis://h',
      {
        place: { kind: 'server', host: 'h', port: 6379 },
        user: undefined,
        password: undefined,
        database: 0,
        encrypted: false,
      },
    ],
    ['redis://h/', { place: { host: 'h' }, database: 0 }],
    [
      'rediss://:p%40@h:1/15',
      {
        place: { host: 'h', port: 1 },
        user: undefined,
        password: 'p@',
        database: 15,
        encrypted: true,
      },
    ],
    ['redis://u:p@[::1]:7', { place: { host: '::1', port: 7 }, user: 'u', password: 'p' }],
    ['redis://:@h', { password: undefined }],
    [
      'redis+sentinel://u:p@a,b:7/mymaster/3?sentinel_user=s&sentinel_password=q%40',
      {
        place: {
          kind: 'sentinel',
          sentinels: [
            { host: 'a', port: 26_379 },
            { host: 'b', port: 7 },
          ],
          master: 'mymaster',
          sentinelUser: 's',
          sentinelPassword: 'q@',
        },
        user: 'u',
        password: 'p',
        database: 3,
        encrypted: false,
      },
    ],
    [
      'rediss+sentinel://a/m',
      { place: { master: 'm', sentinelUser: undefined }, database: 0, encrypted: true },
    ],
    [
      'rediss+cluster://u:p@a,b:7',
      {
        place: {
          kind: 'cluster',
          nodes: [
            { host: 'a', port: 6379 },
            { host: 'b', port: 7 },
          ],
        },
        user: 'u',
        database: 0,
        encrypted: true,
      },
    ],
    ['redis+cluster://a/0', { database: 0, encrypted: false }],
  ])('%s', (url, parts) => {
    expect(readRedisUrl(url, 'X')).toMatchObject(parts);
  });

  test.each([
    ['', 'is empty: write it as redis://user:password@host:6379/0'],
    ['OFF', 'is no URL: write it as redis://user:password@host:6379/0'],
    ['redis://', 'names no host: write it as redis://user:password@host:6379/0'],
    ['redis://h:x', 'has a bad port: it is a number from 1 to 65535'],
    [
      'redis://h/x',
      'has a bad database number behind the host: write it as redis://user:password@host:6379/0',
    ],
    ['redis://u@h', 'names a user without a password: write it as redis://user:password@host'],
    ['redis://h?family=6', 'has an unknown option: there are none'],
    ['redis://:p@h?db=1', 'has an unknown option "db": there are none'],
    [
      'redis://a,b',
      'names several hosts: for Sentinels begin it with redis+sentinel://, for a Cluster with redis+cluster://',
    ],
    [
      'redis+sentinel://a:26379,b',
      'has no name of a master behind the hosts: write it as redis+sentinel://user:password@host:26379,host:26379/mymaster/0',
    ],
    [
      'redis+sentinel://a/m/x',
      'has a bad database number behind the host: write it as redis+sentinel://user:password@host:26379,host:26379/mymaster/0',
    ],
    [
      'redis+sentinel://u@a/m',
      'names a user without a password: write it as redis+sentinel://user:password@host',
    ],
    [
      'redis+cluster://a/1',
      'names a database: a Cluster has only number 0; write it as redis+cluster://user:password@host:6379,host:6379',
    ],
    [
      'http://h',
      'has a scheme other than redis:// or rediss:// or redis+sentinel:// or rediss+sentinel:// or redis+cluster:// or rediss+cluster://: write it as redis://user:password@host:6379/0',
    ],
  ])('%j', (url, fault) => {
    expect(redisFault(url)).toBe(`REDIS_URL ${fault}`);
  });
});

describe('a password', () => {
  // Letters that no fault has of its own.
  const password = fc.string({
    minLength: 12,
    maxLength: 24,
    unit: fc.constantFrom(...Array.from('QXZJ@:/?#%&=+ ,;[]!')),
  });

  test('is read back whatever it consists of', () => {
    fc.assert(
      fc.property(password, (secret) => {
        const encoded = encodeURIComponent(secret);
        expect(readPostgresUrl(`postgresql://u:${encoded}@h/db`, 'X').password).toBe(secret);
        expect(readRedisUrl(`redis://:${encoded}@h`, 'X').password).toBe(secret);
      }),
    );
  });

  test('never stands in a fault, not even in part, when it was not encoded or the rest is broken', () => {
    const shape = fc.constantFrom(
      (secret: string) => `postgresql://user:${secret}@host:port/db`,
      (secret: string) => `postgresql://user:${secret}@host/db?nope=1`,
      (secret: string) => `postgresql://user:${secret}`,
      (secret: string) => `postgresql://user:${secret}/db`,
      (secret: string) => `postgresql://${secret}@host`,
      (secret: string) => `postgresql://user:pa?${secret}/db`,
      (secret: string) => `postgresql://user:pa?${secret}@host/db`,
      (secret: string) => `${secret}://user@host/db`,
      (secret: string) => secret,
    );
    fc.assert(
      fc.property(shape, password, (write, secret) => {
        const url = write(secret);
        for (const fault of [postgresFault(url), redisFault(url)]) {
          const pieces = secret.match(/[QXZJ]{3,}/g) ?? [];
          expect(pieces.filter((piece) => fault.includes(piece))).toEqual([]);
        }
      }),
      { numRuns: 500 },
    );
  });
});

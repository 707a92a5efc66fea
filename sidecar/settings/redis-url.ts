import type { RedisPlace } from '../redis/redis-options.ts';
import { splitUrl, type UrlParts } from './connection-url.ts';
import { SettingsError } from './settings-error.ts';

/** What a Redis URL says. */
export interface RedisUrl {
  readonly place: RedisPlace;
  readonly user: string | undefined;
  readonly password: string | undefined;
  /** Number of the logical database. */
  readonly database: number;
  /** True for `rediss://` and its kind. */
  readonly encrypted: boolean;
}

const kinds = {
  server: { example: 'redis://user:password@host:6379/0', port: 6379, options: [] },
  sentinel: {
    example: 'redis+sentinel://user:password@host:26379,host:26379/mymaster/0',
    port: 26_379,
    options: ['sentinel_user', 'sentinel_password'],
  },
  cluster: {
    example: 'redis+cluster://user:password@host:6379,host:6379',
    port: 6379,
    options: [],
  },
} as const;

const schemes = Object.keys(kinds).flatMap((kind) =>
  kind === 'server' ? ['redis', 'rediss'] : [`redis+${kind}`, `rediss+${kind}`],
);

type Fail = (fault: string) => never;

/** Reads `redis://`, `redis+sentinel://`, `redis+cluster://`, and the same with `rediss`. `subject` names where the URL came from. */
export function readRedisUrl(text: string, subject: string): RedisUrl {
  const fail: Fail = (fault) => {
    throw new SettingsError(`${subject} ${fault}`);
  };
  const [, named] = /^rediss?\+(sentinel|cluster):/i.exec(text) ?? [];
  const kind = (named?.toLowerCase() ?? 'server') as keyof typeof kinds;
  const { example, port, options } = kinds[kind];
  const parts = splitUrl(text, { subject, example, schemes, options, defaultPort: port });
  const { scheme, user, password } = parts;
  if (user !== undefined && password === undefined) {
    fail(`names a user without a password: write it as ${scheme}://user:password@host`);
  }
  return {
    ...placeOf(kind, parts, example, fail),
    user,
    // `redis://:@host` and `redis://host` mean the same.
    password: password === '' ? undefined : password,
    encrypted: scheme.startsWith('rediss'),
  };
}

function placeOf(
  kind: keyof typeof kinds,
  { hosts, path, options }: UrlParts,
  example: string,
  fail: Fail,
): Pick<RedisUrl, 'place' | 'database'> {
  switch (kind) {
    case 'server': {
      const [first, ...others] = hosts;
      if (first === undefined || others.length > 0) {
        return fail(
          'names several hosts: for Sentinels begin it with redis+sentinel://, for a Cluster with redis+cluster://',
        );
      }
      return { place: { kind, ...first }, database: databaseOf(path, example, fail) };
    }
    case 'sentinel': {
      const [master = '', database = '', ...more] = path.split('/');
      if (!/^[A-Za-z0-9._-]{1,128}$/.test(master) || more.length > 0) {
        fail(`has no name of a master behind the hosts: write it as ${example}`);
      }
      const place = {
        kind,
        sentinels: hosts,
        master,
        sentinelUser: options.get('sentinel_user'),
        sentinelPassword: options.get('sentinel_password'),
      };
      return { place, database: databaseOf(database, example, fail) };
    }
    case 'cluster':
      if (path !== '' && path !== '0') {
        fail(`names a database: a Cluster has only number 0; write it as ${example}`);
      }
      return { place: { kind, nodes: hosts }, database: 0 };
    default:
      return kind satisfies never;
  }
}

function databaseOf(path: string, example: string, fail: Fail): number {
  if (!/^\d{0,6}$/.test(path)) {
    fail(`has a bad database number behind the host: write it as ${example}`);
  }
  return Number(path);
}

import { splitUrl } from './connection-url.ts';
import { SettingsError } from './settings-error.ts';

/** What a Redis URL says. */
export interface RedisUrl {
  readonly host: string;
  readonly port: number;
  readonly user: string | undefined;
  readonly password: string | undefined;
  /** Number of the logical database. */
  readonly database: number;
  /** True for `rediss://`. */
  readonly encrypted: boolean;
}

const example = 'redis://user:password@host:6379/0';

/** Reads `redis://` and `rediss://`. `subject` names where the URL came from. */
export function readRedisUrl(text: string, subject: string): RedisUrl {
  const fail = (fault: string): never => {
    throw new SettingsError(`${subject} ${fault}`);
  };
  const later = /^(redis-sentinel|redis\+cluster|rediss-sentinel|rediss\+cluster):\/\//i.exec(text);
  if (later !== null) {
    fail(
      `has the scheme ${later[1]}://, which is not supported yet: name one server as ${example}`,
    );
  }
  const { scheme, user, password, hosts, path } = splitUrl(text, {
    subject,
    example,
    schemes: ['redis', 'rediss'],
    options: [],
    defaultPort: 6379,
  });
  const [first, ...others] = hosts;
  if (first === undefined || others.length > 0) {
    return fail('names several hosts: Sentinel and Cluster are not supported yet');
  }
  if (user !== undefined && password === undefined) {
    fail('names a user without a password: write it as redis://user:password@host');
  }
  if (!/^\d{0,6}$/.test(path)) {
    fail(`has a bad database number behind the host: write it as ${example}`);
  }
  return {
    ...first,
    user,
    // `redis://:@host` and `redis://host` mean the same.
    password: password === '' ? undefined : password,
    database: Number(path),
    encrypted: scheme === 'rediss',
  };
}

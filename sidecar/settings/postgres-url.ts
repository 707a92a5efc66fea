import { type HostAndPort, splitUrl } from './connection-url.ts';
import { SettingsError } from './settings-error.ts';
import type { TlsMode } from './tls-choice.ts';

const sessionAttributes = ['any', 'read-write', 'read-only', 'primary', 'standby'] as const;

/** Which of several hosts will do, as libpq's target_session_attrs. */
export type TargetSessionAttrs = (typeof sessionAttributes)[number];

/** What a PostgreSQL URL says. */
export interface PostgresUrl {
  /** At least one; tried in order. */
  readonly hosts: readonly HostAndPort[];
  readonly user: string;
  readonly password: string | undefined;
  readonly database: string;
  readonly applicationName: string;
  readonly targetSessionAttrs: TargetSessionAttrs;
  /** Undefined when the URL does not say. */
  readonly tlsMode: TlsMode | undefined;
  /** Path of a PEM file, with tlsMode VerifyFull only. */
  readonly caFile: string | undefined;
  /** In ms; undefined when the URL does not say. */
  readonly connectTimeoutMs: number | undefined;
}

const tlsModes: Readonly<Record<string, TlsMode>> = {
  disable: 'Disable',
  require: 'Require',
  'verify-full': 'VerifyFull',
};

const example = 'postgresql://user:password@host:5432/database';

/** Reads `postgresql://user:password@host:5432,host2:5432/database?sslmode=verify-full`. `subject` names where it came from. */
export function readPostgresUrl(text: string, subject: string): PostgresUrl {
  const fail = (fault: string): never => {
    throw new SettingsError(`${subject} ${fault}`);
  };
  const { user, password, hosts, path, options } = splitUrl(text, {
    subject,
    example,
    schemes: ['postgresql', 'postgres'],
    options: [
      'sslmode',
      'sslrootcert',
      'target_session_attrs',
      'application_name',
      'connect_timeout',
    ],
    defaultPort: 5432,
  });
  const oneOf = <Known extends string>(
    option: string,
    known: readonly Known[],
  ): Known | undefined => {
    const value = options.get(option);
    if (value === undefined) return undefined;
    return (
      known.find((each) => each === value) ??
      fail(`has the option ${option} with an unknown value: known are ${known.join(', ')}`)
    );
  };

  if (path === '' || path.includes('/')) fail(`names no database: write it as ${example}`);
  const sslMode = oneOf('sslmode', Object.keys(tlsModes));
  const tlsMode = sslMode === undefined ? undefined : tlsModes[sslMode];
  const caFile = options.get('sslrootcert');
  if (caFile !== undefined && tlsMode !== 'VerifyFull') {
    fail('has the option sslrootcert, which needs sslmode=verify-full');
  }
  const applicationName = options.get('application_name') ?? 'holdfast';
  if (!/^[ -~]{1,63}$/.test(applicationName)) {
    fail('has an application_name that is not 1 to 63 printable ASCII characters');
  }
  const connectTimeout = options.get('connect_timeout');
  if (connectTimeout !== undefined && !/^([1-9]\d{0,1}|[1-5]\d\d|600)$/.test(connectTimeout)) {
    fail('has a bad connect_timeout: it is a number of seconds from 1 to 600');
  }
  return {
    hosts,
    user: user ?? fail(`names no user: write it as ${example}`),
    password,
    database: path,
    applicationName,
    targetSessionAttrs: oneOf('target_session_attrs', sessionAttributes) ?? 'any',
    tlsMode,
    caFile,
    connectTimeoutMs: connectTimeout === undefined ? undefined : Number(connectTimeout) * 1000,
  };
}

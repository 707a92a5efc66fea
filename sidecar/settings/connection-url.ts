import { nearestName } from '../../crds/nearest-name.ts';
import { SettingsError } from './settings-error.ts';

export interface HostAndPort {
  /** A name, an address without brackets, or the folder of a Unix socket (begins with `/`). */
  readonly host: string;
  readonly port: number;
}

/** The parts of `scheme://user:password@host:port,host:port/path?option=value`, percent-decoded. */
export interface UrlParts {
  readonly scheme: string;
  readonly user: string | undefined;
  readonly password: string | undefined;
  readonly hosts: readonly HostAndPort[];
  /** Without its leading `/`. */
  readonly path: string;
  readonly options: ReadonlyMap<string, string>;
}

export interface UrlRules {
  /** What stands in front of every fault: `DATABASE_URL`, or the file that held the URL. */
  readonly subject: string;
  /** For the faults: how a right one looks. */
  readonly example: string;
  readonly schemes: readonly string[];
  readonly options: readonly string[];
  readonly defaultPort: number;
}

/**
 * Takes a URL apart. Its parts may hold the password wherever somebody forgot to encode or to write something, so faults repeat nothing
 * of it but the names of options, and those only when the password is known to stand elsewhere.
 */
export function splitUrl(text: string, rules: UrlRules): UrlParts {
  const fail = (fault: string): never => {
    throw new SettingsError(`${rules.subject} ${fault}`);
  };
  const remedy = `write it as ${rules.example}`;
  if (text === '') fail(`is empty: ${remedy}`);
  if (/[\s\p{Cc}]/u.test(text)) fail(`has a blank or a control character in it: ${remedy}`);
  const [, scheme = '', rest = ''] =
    /^([a-z][a-z0-9+.-]{0,31}):\/\/(.*)$/i.exec(text) ?? fail(`is no URL: ${remedy}`);
  if (!rules.schemes.includes(scheme.toLowerCase())) {
    fail(
      `has a scheme other than ${rules.schemes.map((known) => `${known}://`).join(' or ')}: ${remedy}`,
    );
  }

  const authorityEnd = /[/?#]/.exec(rest)?.index ?? rest.length;
  const authority = rest.slice(0, authorityEnd);
  const tail = rest.slice(authorityEnd);
  if (tail.includes('@')) {
    fail(
      'has an "@" behind its host: percent-encode what is special in the password (@ %40, : %3A, / %2F, ? %3F, # %23)',
    );
  }
  if (tail.includes('#')) fail('has a "#" in it: percent-encode it as %23');
  const at = authority.lastIndexOf('@');
  const decode = (part: string, what: string): string => {
    try {
      return decodeURIComponent(part);
    } catch {
      return fail(`has a "%" in its ${what} that encodes nothing: write it as %25`);
    }
  };
  const login = at < 0 ? undefined : authority.slice(0, at);
  const colon = login?.indexOf(':') ?? -1;
  const user = colon < 0 ? login : login?.slice(0, colon);
  const password = colon < 0 ? undefined : login?.slice(colon + 1);

  const places = authority.slice(at + 1);
  if (places === '') fail(`names no host: ${remedy}`);
  const hosts = places.split(',').map((place) => hostAndPort(place, rules, decode, fail));

  const questionMark = tail.indexOf('?');
  const path = questionMark < 0 ? tail : tail.slice(0, questionMark);
  const query = questionMark < 0 ? '' : tail.slice(questionMark + 1);
  return {
    scheme: scheme.toLowerCase(),
    user: user === undefined || user === '' ? undefined : decode(user, 'user'),
    password: password === undefined ? undefined : decode(password, 'password'),
    hosts,
    path: decode(path.slice(1), 'path'),
    options: optionsOf(query, at >= 0, rules, decode, fail),
  };
}

type Fail = (fault: string) => never;
type Decode = (part: string, what: string) => string;

function hostAndPort(place: string, rules: UrlRules, decode: Decode, fail: Fail): HostAndPort {
  const [, bracketed, plain = '', port] =
    /^(?:\[([0-9a-f:.]+)\]|([^:[\]]*))(?::([^:]*))?$/i.exec(place) ??
    fail(
      'has a host that cannot be read: an IPv6 address needs brackets, a ":" in the password %3A',
    );
  const host = bracketed ?? decode(plain, 'host');
  if (host === '') fail('has an empty host');
  if (!host.startsWith('/') && !/^[A-Za-z0-9_.:-]+$/.test(host)) {
    fail('has a host with a character that no host name has');
  }
  if (port === undefined) return { host, port: rules.defaultPort };
  if (!/^\d{1,5}$/.test(port) || Number(port) < 1 || Number(port) > 65_535) {
    fail('has a bad port: it is a number from 1 to 65535');
  }
  return { host, port: Number(port) };
}

function optionsOf(
  query: string,
  mayRepeat: boolean,
  rules: UrlRules,
  decode: Decode,
  fail: Fail,
): ReadonlyMap<string, string> {
  const options = new Map<string, string>();
  if (query === '') return options;
  for (const pair of query.split('&')) {
    const equals = pair.indexOf('=');
    const name = equals < 0 ? pair : pair.slice(0, equals);
    const value = equals < 0 ? '' : decode(pair.slice(equals + 1), 'options');
    if (!rules.options.includes(name)) {
      const shown = mayRepeat && /^[A-Za-z_]{1,40}$/.test(name) ? ` "${name}"` : '';
      const nearest = shown === '' ? undefined : nearestName(name, rules.options);
      const known =
        rules.options.length === 0 ? 'there are none' : `known are ${rules.options.join(', ')}`;
      fail(
        `has an unknown option${shown}: ${nearest === undefined ? known : `is ${nearest} meant?`}`,
      );
    }
    if (options.has(name)) fail(`has the option "${name}" twice`);
    if (value === '') fail(`has the option "${name}" without a value`);
    options.set(name, value);
  }
  return options;
}

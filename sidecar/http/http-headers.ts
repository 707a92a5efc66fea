import type { HttpHeader } from './http-options.ts';

/** Of one connection alone (RFC 9110, 7.6.1): they say nothing to whoever is behind it. */
const connectionHeaders: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** The headers of an answer as they are passed on. */
export function receivedHeaders(
  headers: Readonly<Record<string, string | string[] | undefined>>,
): HttpHeader[] {
  const named = new Set([headers['connection'] ?? []].flat().flatMap(tokens));
  const passed: HttpHeader[] = [];
  for (const [name, values] of Object.entries(headers)) {
    if (values === undefined || connectionHeaders.has(name) || named.has(name)) continue;
    for (const value of [values].flat()) passed.push({ name, value });
  }
  return passed;
}

/** Header names as servers see them that write `_` for `-` (CGI, WSGI): `x_api_key` would stand for `x-api-key`. */
export const likenessOf = (name: string): string => name.toLowerCase().replaceAll('_', '-');

/** What is sent: the policy's headers, and those of the caller's that do not stand for one of them. */
export function sentHeaders(
  policy: readonly HttpHeader[],
  caller: readonly HttpHeader[],
): HttpHeader[] {
  const taken = new Set(policy.map(({ name }) => likenessOf(name)));
  return [...caller.filter(({ name }) => !taken.has(likenessOf(name))), ...policy];
}

const tokens = (list: string): string[] =>
  list.split(',').map((token) => token.trim().toLowerCase());

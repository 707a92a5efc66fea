import { ownHeaders } from '../../../crds/upstream-fields.ts';
import { HoldfastError } from '../../../platform/errors.ts';
import type { HttpHeader__Output } from '../../../platform/gen/holdfast/v1/HttpHeader.ts';
import type { UpstreamRequest__Output } from '../../../platform/gen/holdfast/v1/UpstreamRequest.ts';
import { likenessOf } from '../../http/http-headers.ts';
import type { HttpHeader, HttpRequest } from '../../http/http-options.ts';
import { faultOfPath } from './path.ts';

/** A request that may be sent. */
export interface CheckedRequest extends HttpRequest {
  /** Twice does no more than once. */
  readonly isIdempotent: boolean;
  readonly cost: {
    readonly key: string;
    /** Of each try, at most; undefined: the policy's estimate. */
    readonly amount: number | undefined;
    /** Of the answer, in lower case; empty for none. */
    readonly header: string;
  };
}

const mostHeaders = 100;
const mostHeaderBytes = 32 * 1024;
const mostBodyBytes = 64 * 1024 * 1024;
const mostKeyBytes = 200;
const mostCost = 2_000_000_000;

const token = /^[-!#$%&'*+.^_`|~0-9A-Za-z]{1,100}$/;
const idempotentMethods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE']);
/** They speak to whoever is in between, or hand back what the sidecar has put in. */
const refusedMethods: ReadonlySet<string> = new Set(['CONNECT', 'TRACE']);
const refusedHeaders: ReadonlySet<string> = new Set([...ownHeaders, 'http2-settings']);

/** Throws INVALID_REQUEST. `policyHeaders` are those that the caller cannot replace. */
export function checkRequest(
  request: UpstreamRequest__Output,
  policyHeaders: readonly HttpHeader[],
): CheckedRequest {
  const method = methodOf(request.method);
  const fault = faultOfPath(request.path);
  if (fault !== undefined) throw invalid(`path ${fault}`);
  if (request.body.length > mostBodyBytes) {
    throw invalid(`body has more than ${mostBodyBytes} bytes`);
  }
  return {
    method,
    path: request.path,
    headers: headersOf(request.headers, policyHeaders),
    body: request.body,
    isIdempotent: request.idempotent || idempotentMethods.has(method),
    cost: costOf(request),
  };
}

function methodOf(given: string): string {
  const method = given === '' ? 'GET' : given;
  if (!/^[A-Z][-A-Z]{0,31}$/.test(method)) {
    throw invalid('method must be a word in upper case, such as GET');
  }
  if (refusedMethods.has(method)) throw invalid(`method ${method} is refused`);
  return method;
}

function headersOf(
  headers: readonly HttpHeader__Output[],
  policyHeaders: readonly HttpHeader[],
): HttpHeader[] {
  if (headers.length > mostHeaders) {
    throw invalid(`headers has ${headers.length} entries; at most ${mostHeaders}`);
  }
  const ofPolicy = new Set(policyHeaders.map(({ name }) => likenessOf(name)));
  let bytes = 0;
  return headers.map(({ name, value }, index) => {
    const where = `headers[${index}]`;
    if (!token.test(name)) throw invalid(`${where}.name is no name of a header`);
    const likeness = likenessOf(name);
    if (refusedHeaders.has(likeness)) {
      throw invalid(`${where}: ${likeness} is decided by the connection itself`);
    }
    if (ofPolicy.has(likeness)) {
      throw invalid(`${where}: ${likeness} is set by the policy, and by nobody else`);
    }
    if (!/^[\t -~]*$/.test(value)) throw invalid(`${where}.value must be printable ASCII`);
    bytes += name.length + value.length;
    if (bytes > mostHeaderBytes) throw invalid(`headers has more than ${mostHeaderBytes} bytes`);
    return { name: name.toLowerCase(), value };
  });
}

function costOf({ cost, costKey, costHeader }: UpstreamRequest__Output): CheckedRequest['cost'] {
  if (cost !== undefined && !(cost >= 0 && cost <= mostCost)) {
    throw invalid(`cost must be from 0 to ${mostCost}`);
  }
  if (Buffer.byteLength(costKey) > mostKeyBytes) {
    throw invalid(`cost_key has more than ${mostKeyBytes} bytes`);
  }
  if (costHeader !== '' && !token.test(costHeader)) {
    throw invalid('cost_header is no name of a header');
  }
  return { key: costKey, amount: cost, header: costHeader.toLowerCase() };
}

const invalid = (message: string): HoldfastError =>
  new HoldfastError('invalid', 'INVALID_REQUEST', message);

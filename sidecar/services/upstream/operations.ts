import type { UpstreamPart } from '../../../platform/gen/holdfast/v1/UpstreamPart.ts';
import type { UpstreamRequest__Output } from '../../../platform/gen/holdfast/v1/UpstreamRequest.ts';
import type { UpstreamResponse } from '../../../platform/gen/holdfast/v1/UpstreamResponse.ts';
import type { Operation, OperationTable, StreamOperation } from '../../grpc/operation.ts';
import { toResponse } from './answer.ts';
import { type CheckedRequest, checkRequest } from './checks.ts';
import { streamedAnswer } from './streamed-answer.ts';
import type { UpstreamParts } from './upstream-parts.ts';
import { wholeAnswer } from './whole-answer.ts';

/** Everything of service Upstream. */
export function upstreamOperations(
  parts: UpstreamParts,
): Pick<OperationTable, 'unary' | 'streams'> {
  const target = (request: UpstreamRequest__Output): string =>
    parts.targets.label('Upstream', request.target);
  const check = (request: UpstreamRequest__Output): CheckedRequest => {
    parts.targets.named('Upstream', request.target);
    return checkRequest(request, parts.upstreams.named(request.target).settings.headers);
  };

  const call: Operation<UpstreamRequest__Output, UpstreamResponse> = {
    name: 'Upstream.Call',
    frame: 'upstream',
    target,
    handle: async (request, call) =>
      toResponse(await wholeAnswer(request.target, check(request), call, parts)),
  };

  const stream: StreamOperation<UpstreamRequest__Output, UpstreamPart> = {
    name: 'Upstream.Stream',
    target,
    handle: async (request, call, send) =>
      streamedAnswer(request.target, check(request), call, parts, send),
  };

  return { unary: [call], streams: [stream] };
}

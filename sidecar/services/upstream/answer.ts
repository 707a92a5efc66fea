import type { AnswerSource } from '../../../platform/gen/holdfast/v1/AnswerSource.ts';
import type { UpstreamResponse } from '../../../platform/gen/holdfast/v1/UpstreamResponse.ts';
import type { HttpHead } from '../../http/http-options.ts';

/** An answer as it is kept. */
export interface StoredAnswer extends HttpHead {
  readonly body: Buffer;
}

/** An answer as callers get it. */
export interface Answer extends StoredAnswer {
  /** Tries that were made for it. */
  readonly attempts: number;
  readonly source: AnswerSource;
}

/** As it stands on the wire. */
export const toResponse = ({
  status,
  headers,
  body,
  attempts,
  source,
}: Answer): UpstreamResponse => ({ status, headers: [...headers], body, attempts, source });

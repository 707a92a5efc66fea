import { undecodable } from './errors.ts';
import type { StreamOptions } from './options.ts';
import type { ServerStreams } from './server-streams.ts';
import { ByteReader } from './wire/byte-reader.ts';
import { ByteWriter } from './wire/byte-writer.ts';
import { type QueryRequest, writeStream } from './wire/database-messages.ts';
import { type QueryResult, readQueryResult } from './wire/query-result.ts';
import { wholeNumber } from './wire/whole-number.ts';

const path = '/holdfast.v1.Database/Stream';

/** Rows of a query, one by one: the sidecar reads on only as fast as they are taken. */
export async function* rowStream(
  streams: ServerStreams,
  request: QueryRequest,
  options: StreamOptions,
): AsyncGenerator {
  const writer = new ByteWriter();
  writeStream(writer, request, wholeNumber('maxRows', options.maxRows) ?? 0);
  let result: QueryResult<unknown> | undefined;
  for await (const message of streams.messages(path, writer.take(), options)) {
    result = part(message, request, result);
    yield* result.rows;
    result.rows.length = 0;
  }
}

function part(
  message: Buffer,
  request: QueryRequest,
  previous: QueryResult<unknown> | undefined,
): QueryResult<unknown> {
  try {
    const reader = new ByteReader(message);
    return readQueryResult(reader, message.length, request.statement, request.format, previous);
  } catch (cause) {
    throw undecodable(cause);
  }
}

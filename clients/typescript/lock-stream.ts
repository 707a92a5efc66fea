import { connectionLost } from './errors.ts';
import type { CallOptions } from './options.ts';
import type { ServerStreams } from './server-streams.ts';
import { ByteWriter } from './wire/byte-writer.ts';
import {
  type AcquireRequest,
  type Grant,
  type Loss,
  readHoldEvent,
  writeAcquire,
} from './wire/lock-messages.ts';

const path = '/holdfast.v1.Locks/Hold';

interface Held {
  readonly grant: Grant;
  /** Releases it. */
  readonly end: () => Promise<void>;
  /** Calls back once when it is lost, or its stream breaks. */
  readonly onLost: (listener: (loss: Loss) => void) => void;
}

/** A lock that a stream holds. */
export async function holdStream(
  streams: ServerStreams,
  request: AcquireRequest,
  { signal, priority, traceparent }: CallOptions,
): Promise<Held> {
  const writer = new ByteWriter();
  writeAcquire(writer, request);
  // The caller's signal is for the wait: what is held is released, not cancelled.
  const waiting = new AbortController();
  const onAbort = (): void => waiting.abort(signal?.reason);
  if (signal?.aborted === true) onAbort();
  signal?.addEventListener('abort', onAbort, { once: true });
  const options = { signal: waiting.signal, priority, traceparent };
  const messages = streams.messages(path, writer.take(), options);
  try {
    const first = await messages.next();
    const { granted } = first.done === true ? {} : readHoldEvent(first.value);
    if (granted === undefined) throw connectionLost(undefined);
    return { grant: granted, ...following(messages, waiting) };
  } finally {
    signal?.removeEventListener('abort', onAbort);
  }
}

function following(
  messages: AsyncGenerator<Buffer>,
  stream: AbortController,
): Pick<Held, 'end' | 'onLost'> {
  let loss: Loss | undefined;
  let listener: (loss: Loss) => void = () => {};
  let ended = false;
  const tell = (its: Loss): void => {
    if (ended || loss !== undefined) return;
    loss = its;
    listener(its);
  };
  const over = messages.next().then(
    (last) => tell((last.done === true ? undefined : readHoldEvent(last.value).lost) ?? 'session'),
    () => tell('session'),
  );
  return {
    end: async () => {
      ended = true;
      stream.abort();
      await over;
    },
    onLost: (its) => {
      listener = its;
      if (loss !== undefined) its(loss);
    },
  };
}

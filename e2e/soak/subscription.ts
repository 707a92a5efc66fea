import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import type { Holdfast, HoldfastError } from '../../clients/typescript/index.ts';

const channel = 'soak';
const everyMs = 5;

/** What a subscriber saw of numbers that were published one after the other. */
export interface Heard {
  messages: number;
  gaps: number;
  readonly broken: string[];
}

/** Publishes numbers past the sidecar, and listens through it, until `goesOn` says no. Every number comes, in order, but for gaps that are told. */
export async function listen(
  holdfast: Holdfast,
  redisUrl: string,
  goesOn: () => boolean,
): Promise<Heard> {
  const heard: Heard = { messages: 0, gaps: 0, broken: [] };
  /** Numbers that Redis took; of others nobody knows. */
  const published = new Set<number>();
  const publisher = publish(redisUrl, goesOn, published);
  const signal = whenNot(goesOn);
  while (goesOn()) {
    await one(holdfast, { signal, published, heard }).catch((error: HoldfastError) => {
      // The stream ended with its sidecar, and says so: whoever wants to go on subscribes again.
      if (error.reason !== 'CANCELLED') heard.gaps += 1;
    });
    await sleep(50);
  }
  await publisher;
  return heard;
}

interface Listening {
  readonly signal: AbortSignal;
  readonly published: ReadonlySet<number>;
  readonly heard: Heard;
}

/** One stream of events. */
async function one(holdfast: Holdfast, { signal, published, heard }: Listening): Promise<void> {
  let last: number | undefined;
  let told = true;
  for await (const event of holdfast.redis().subscribe({ channels: [channel] }, { signal })) {
    if (event.type === 'gap') {
      heard.gaps += 1;
      told = true;
    }
    if (event.type !== 'message') continue;
    const number = Number(event.payload);
    const expected = told || last === undefined ? number : last + 1;
    for (let missing = expected; missing < number; missing += 1) {
      if (published.has(missing)) heard.broken.push(`${missing} is missing, and no gap was told`);
    }
    if (last !== undefined && number <= last) {
      heard.broken.push(`${number} came after ${last}`);
    }
    last = number;
    told = false;
    heard.messages += 1;
  }
}

async function publish(
  redisUrl: string,
  goesOn: () => boolean,
  published: Set<number>,
): Promise<void> {
  const redis = new Redis(redisUrl, {
    maxRetriesPerRequest: 0,
    retryStrategy: () => 100,
    autoResendUnfulfilledCommands: false,
    enableOfflineQueue: false,
  });
  redis.on('error', () => {});
  for (let number = 1; goesOn(); number += 1) {
    await redis.publish(channel, `${number}`).then(
      () => published.add(number),
      () => {},
    );
    await sleep(everyMs);
  }
  redis.disconnect();
}

/** Aborts when `goesOn` says no. */
function whenNot(goesOn: () => boolean): AbortSignal {
  const controller = new AbortController();
  const look = setInterval(() => {
    if (goesOn()) return;
    clearInterval(look);
    controller.abort();
  }, 50);
  return controller.signal;
}

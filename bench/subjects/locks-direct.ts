/** SET NX PX, and a script that deletes the key if it is still one's own, with ioredis. */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { Handovers } from '../handovers.ts';
import { load, settings as given, type LoadSettings } from '../load.ts';

interface Settings extends LoadSettings {
  readonly url: string;
  readonly names: number;
  readonly ttlMs: number;
  readonly pollMs: number;
}

interface Connection extends Redis {
  unlock(key: string, value: string): Promise<number>;
}

const { url, names, ttlMs, pollMs, ...settings } = given as Settings;
const scripts = {
  unlock: {
    numberOfKeys: 1,
    lua: "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0",
  },
};
const open = (): Connection =>
  new Redis(url, { enableAutoPipelining: true, scripts }) as Connection;

async function unlock(redis: Connection, key: string, value: string): Promise<void> {
  if ((await redis.unlock(key, value)) !== 1) throw new Error('it was not held');
}

async function pair(redis: Connection): Promise<void> {
  const [key, value] = [`lock:${Math.floor(Math.random() * names)}`, randomUUID()];
  while ((await redis.set(key, value, 'PX', ttlMs, 'NX')) !== 'OK') await sleep(pollMs);
  await unlock(redis, key, value);
}

if (names > 1) {
  const redis = open();
  await load(settings, () => pair(redis));
} else {
  const handovers = new Handovers(Array.from({ length: settings.inFlight }, open));
  await load(settings, () =>
    handovers.next(async (redis, granted) => {
      const value = randomUUID();
      while ((await redis.set('lock', value, 'PX', ttlMs, 'NX')) !== 'OK') await sleep(pollMs);
      granted();
      await unlock(redis, 'lock', value);
    }),
  );
}

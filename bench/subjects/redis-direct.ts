/** GET with ioredis, on one connection. */
import { Redis } from 'ioredis';
import { load, settings as given, type LoadSettings } from '../load.ts';

interface Settings extends LoadSettings {
  readonly url: string;
  readonly keys: number;
  readonly autoPipelining: number;
}

const settings = given as Settings;
const redis = new Redis(settings.url, { enableAutoPipelining: settings.autoPipelining === 1 });
const value = 'v'.repeat(100);
for (let key = 0; key < settings.keys; key += 1) await redis.set(`key:${key}`, value);
await load(settings, async () => {
  const got = await redis.get(`key:${Math.floor(Math.random() * settings.keys)}`);
  if (got !== value) throw new Error('the value is missing');
});

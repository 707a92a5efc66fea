/** GET through a sidecar, with the TypeScript client. */
import { connect } from '../../clients/typescript/index.ts';
import { load, settings as given, type LoadSettings } from '../load.ts';

interface Settings extends LoadSettings {
  readonly address: string;
  readonly keys: number;
  readonly transport: 'session' | 'unary';
}

const settings = given as Settings;
const { address, transport, keys } = settings;
const redis = connect({ address, transport }).redis();
const value = 'v'.repeat(100);
for (let key = 0; key < keys; key += 1) await redis.command('SET', `key:${key}`, value);
await load(settings, async () => {
  const got = await redis.command('GET', `key:${Math.floor(Math.random() * keys)}`);
  if (got !== value) throw new Error('the value is missing');
});

/** Lock and unlock through a sidecar, with the TypeScript client. */
import { connect, type Locks } from '../../clients/typescript/index.ts';
import { Handovers } from '../handovers.ts';
import { load, settings as given, type LoadSettings } from '../load.ts';

interface Settings extends LoadSettings {
  readonly address: string;
  readonly names: number;
}

const { address, names, ...settings } = given as Settings;
const open = (): Locks => connect({ address }).locks();

if (names > 1) {
  const locks = open();
  await load(settings, async () => {
    const lock = await locks.acquire(`lock:${Math.floor(Math.random() * names)}`);
    await lock.release();
  });
} else {
  const handovers = new Handovers(Array.from({ length: settings.inFlight }, open));
  await load(settings, () =>
    handovers.next(async (locks, granted) => {
      const lock = await locks.acquire('lock');
      granted();
      await lock.release();
    }),
  );
}

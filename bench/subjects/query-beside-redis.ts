/** Queries through a sidecar while something asks its Redis every 5 ms, which may be down. */
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from '../../clients/typescript/index.ts';
import { load, settings as given, type LoadSettings } from '../load.ts';

interface Settings extends LoadSettings {
  readonly address: string;
}

const settings = given as Settings;
const holdfast = connect({ address: settings.address });
const database = holdfast.database();
const ask = async (): Promise<never> => {
  for (;;) {
    holdfast
      .redis()
      .command('INCR', 'n')
      .catch(() => {});
    await sleep(5);
  }
};
void ask();
await load(settings, async () => {
  const { rows } = await database.query('select $1::int as n', [1]);
  if (rows.length !== 1) throw new Error('the row is missing');
});

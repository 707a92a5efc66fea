/** The point query through a sidecar, with the TypeScript client. */
import { connect } from '../../clients/typescript/index.ts';
import { load, settings as given, type LoadSettings } from '../load.ts';

interface Settings extends LoadSettings {
  readonly address: string;
  readonly accounts: number;
  readonly transport: 'session' | 'unary';
}

const settings = given as Settings;
const { address, transport, accounts } = settings;
const database = connect({ address, transport }).database();
await load(settings, async () => {
  const id = 1 + Math.floor(Math.random() * accounts);
  const { rows } = await database.query('SELECT id, owner, balance FROM accounts WHERE id = $1', [
    id,
  ]);
  if (rows.length !== 1) throw new Error('the row is missing');
});

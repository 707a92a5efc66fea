import { Client } from 'pg';
import { diskFile } from '../../sidecar/config.ts';
import { migrate } from '../../sidecar/postgres/migrate.ts';
import { urlPostgres } from '../../sidecar/settings/targets.ts';

export const templateName = 'holdfast_template';

/** Makes the database that test databases are copies of. */
export async function makeTemplate(serverUrl: string): Promise<void> {
  await connectTo(serverUrl, (client) => client.query(`create database ${templateName}`));
  const url = new URL(serverUrl);
  url.pathname = `/${templateName}`;
  const { connection } = urlPostgres(url.href, { secretsDir: '', readFile: diskFile });
  await migrate(connection);
}

/** Lends a connection. */
export async function connectTo<Result>(
  url: string,
  use: (client: Client) => Promise<Result>,
): Promise<Result> {
  const client = new Client({ connectionString: url });
  // A lost connection fails the query that runs; the event, unheard, would end the process.
  client.on('error', () => {});
  await client.connect();
  try {
    return await use(client);
  } finally {
    await client.end();
  }
}

import { Client } from 'pg';
import { migrate } from '../../sidecar/postgres/migrate.ts';

export const templateName = 'holdfast_template';

/** Makes the database that test databases are copies of. */
export async function makeTemplate(serverUrl: string): Promise<void> {
  await connectTo(serverUrl, (client) => client.query(`create database ${templateName}`));
  const url = new URL(serverUrl);
  url.pathname = `/${templateName}`;
  await migrate(url.href);
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

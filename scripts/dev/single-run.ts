import { once } from 'node:events';
import { connect, createServer } from 'node:net';

/**
 * Makes sure that this is the only process that holds `name`; throws when another one does. The kernel forgets the name
 * when the process dies, so nothing stale is ever left behind.
 */
export async function holdAlone(name: string): Promise<AsyncDisposable> {
  // A leading NUL makes it a name of the kernel's, not a file.
  const path = `\0${name}`;
  const server = createServer((socket) => socket.end(String(process.pid)));
  server.listen(path);
  try {
    await once(server, 'listening');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    throw new Error(`another ./dev up is running on this data (pid ${await holderOf(path)})`, {
      cause: error,
    });
  }
  return { [Symbol.asyncDispose]: async () => void server.close() };
}

/** The pid of the process that holds the name, as it says itself. */
async function holderOf(path: string): Promise<string> {
  try {
    const chunks: Buffer[] = [];
    for await (const chunk of connect(path)) chunks.push(chunk as Buffer);
    return Buffer.concat(chunks).toString();
  } catch {
    return 'unknown';
  }
}

import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../platform/clock.ts';
import type { Logger } from '../../platform/logger.ts';
import { heldTls, type ServingCertificates, type ServingTls } from './serving-certificates.ts';

/** How often the files are read, in ms: kubelet itself takes a minute to bring a new Secret. */
const roundMs = 10_000;

/**
 * Certificates that somebody else makes (cert-manager): `tls.crt`, `tls.key` and `ca.crt` of a mounted Secret. Files that do not fit
 * each other are not taken. Throws when the first ones are unusable.
 */
export async function watchTlsFolder(
  folder: string,
  clock: Clock,
  logger: Logger,
): Promise<ServingCertificates> {
  const held = heldTls(await readTls(folder));
  const stopped = new AbortController();
  const check = async (): Promise<void> => held.put(await readTls(folder));
  void (async () => {
    while (!stopped.signal.aborted) {
      try {
        await clock.sleep(roundMs, stopped.signal);
        await check();
      } catch (error) {
        if (stopped.signal.aborted) return;
        logger.warn({ err: error, folder }, 'new certificates cannot be used; the old ones are');
      }
    }
  })();
  return {
    get current() {
      return held.current;
    },
    onChange: held.onChange,
    check,
    close: () => stopped.abort(),
  };
}

async function readTls(folder: string): Promise<ServingTls> {
  const text = (name: string) => readFile(join(folder, name), 'utf8');
  const [certificate, key, authorities] = await Promise.all([
    text('tls.crt'),
    text('tls.key'),
    text('ca.crt').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return '';
      throw error;
    }),
  ]);
  // Pods would be made whose sidecars believe nobody, and do not start.
  if (!isCertificate(authorities)) {
    throw new Error(
      `ca.crt in ${folder} is missing or holds no certificate: sidecars and the API server check tls.crt with it`,
    );
  }
  // Read while kubelet changed them, they may be of two Secrets.
  if (!new X509Certificate(certificate).checkPrivateKey(createPrivateKey(key))) {
    throw new Error(`tls.key is not the key of tls.crt in ${folder}`);
  }
  return { certificate, key, authorities };
}

function isCertificate(pem: string): boolean {
  try {
    void new X509Certificate(pem);
    return true;
  } catch {
    return false;
  }
}

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A key, and a certificate for `name` that it signed itself. */
export function ownCertificate(name: string): {
  readonly key: string;
  readonly certificate: string;
} {
  const folder = mkdtempSync(join(tmpdir(), 'hf-'));
  const options = `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=${name} -addext subjectAltName=DNS:${name} -keyout key -out crt`;
  execFileSync('openssl', options.split(' '), { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] });
  const read = (file: string): string => readFileSync(join(folder, file), 'utf8');
  const pair = { key: read('key'), certificate: read('crt') };
  rmSync(folder, { recursive: true });
  return pair;
}

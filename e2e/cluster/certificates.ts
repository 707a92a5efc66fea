import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Makes `ca`, `apiserver` (each .key and .crt) and `sa.key`, which signs tokens, in a folder. They last a day: no test does longer. */
export function makeCertificates(folder: string): void {
  const openssl = (line: string): void => {
    execFileSync('openssl', line.split(' '), { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] });
  };
  const key = (name: string): void =>
    openssl(`ecparam -name prime256v1 -genkey -noout -out ${name}.key`);
  const issue = (name: string, extensions: readonly string[]): void => {
    key(name);
    openssl(`req -new -key ${name}.key -subj /CN=${name} -out ${name}.csr`);
    writeFileSync(join(folder, `${name}.ext`), extensions.join('\n'));
    const signed = `-CA ca.crt -CAkey ca.key -CAcreateserial -days 1 -extfile ${name}.ext`;
    openssl(`x509 -req -in ${name}.csr ${signed} -out ${name}.crt`);
  };

  openssl('genrsa -out sa.key 2048');
  key('ca');
  const usage = 'keyUsage=critical,keyCertSign,digitalSignature';
  const authority = `-addext basicConstraints=critical,CA:TRUE -addext ${usage}`;
  openssl(`req -x509 -new -key ca.key -subj /CN=holdfast-tests -days 1 ${authority} -out ca.crt`);
  issue('apiserver', [
    'keyUsage=critical,digitalSignature',
    'extendedKeyUsage=serverAuth',
    'subjectAltName=DNS:localhost,DNS:kubernetes.default.svc,IP:127.0.0.1,IP:10.96.0.1',
  ]);
}

import { randomBytes, type webcrypto, X509Certificate } from 'node:crypto';

/** A certificate and its private key, both PEM. */
export interface KeyedCertificate {
  readonly certificate: string;
  readonly key: string;
}

const day = 86_400_000;

/** How long a certificate is good for, in ms. */
export const authorityLifeMs = 3_650 * day;
export const leafLifeMs = 90 * day;
/** Clocks of nodes that are behind take a new certificate all the same. */
const backdateMs = 3_600_000;

/** Makes an authority that signs itself. */
export async function issueAuthority(nowMs: number): Promise<KeyedCertificate> {
  const x509 = await library();
  const keys = await makeKeys();
  const identifier = await x509.SubjectKeyIdentifierExtension.create(keys.publicKey);
  const made = await x509.X509CertificateGenerator.createSelfSigned({
    // Two of one name would be told apart by their key identifiers only, and not by everybody.
    name: `CN=holdfast-controller-ca-${identifier.keyId.slice(0, 16)}`,
    keys,
    ...signature,
    serialNumber: serial(),
    notBefore: new Date(nowMs - backdateMs),
    notAfter: new Date(nowMs + authorityLifeMs),
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(
        x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign,
        true,
      ),
      identifier,
    ],
  });
  return { certificate: pemOf(made), key: await privatePem(keys.privateKey) };
}

/** Makes a serving certificate for DNS names, signed by an authority, which it does not outlive. */
export async function issueLeaf(
  authority: KeyedCertificate,
  names: readonly string[],
  nowMs: number,
): Promise<KeyedCertificate> {
  const x509 = await library();
  const keys = await makeKeys();
  const issuer = new x509.X509Certificate(authority.certificate);
  const made = await x509.X509CertificateGenerator.create({
    subject: `CN=${(names[0] ?? '').slice(0, 64)}`,
    issuer: issuer.subject,
    publicKey: keys.publicKey,
    signingKey: await readKey(authority.key),
    ...signature,
    serialNumber: serial(),
    notBefore: new Date(Math.max(nowMs - backdateMs, issuer.notBefore.getTime())),
    notAfter: new Date(Math.min(nowMs + leafLifeMs, issuer.notAfter.getTime())),
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension(
        names.map((value) => ({ type: 'dns' as const, value })),
      ),
      await x509.AuthorityKeyIdentifierExtension.create(issuer),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { certificate: pemOf(made), key: await privatePem(keys.privateKey) };
}

/** When a certificate is valid, in ms since 1970; undefined for what is none. */
export function validityOf(pem: string): { fromMs: number; untilMs: number } | undefined {
  try {
    const { validFromDate, validToDate } = new X509Certificate(pem);
    return { fromMs: validFromDate.getTime(), untilMs: validToDate.getTime() };
  } catch {
    return undefined;
  }
}

/** 25 MB of memory, once in two months. It needs the polyfill of decorators that it is written with. */
async function library() {
  await import('reflect-metadata');
  return import('@peculiar/x509');
}

const signature = { signingAlgorithm: { name: 'ECDSA', hash: 'SHA-256' } };
const curve = { name: 'ECDSA', namedCurve: 'P-256' };

const makeKeys = (): Promise<webcrypto.CryptoKeyPair> =>
  crypto.subtle.generateKey(curve, true, ['sign', 'verify']);

/** Positive, as RFC 5280 wants it, and nobody can guess it. */
function serial(): string {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40;
  return bytes.toString('hex');
}

const pemOf = (made: { toString(format: 'pem'): string }): string => `${made.toString('pem')}\n`;

async function privatePem(key: CryptoKey): Promise<string> {
  const base64 = Buffer.from(await crypto.subtle.exportKey('pkcs8', key)).toString('base64');
  const lines = base64.match(/.{1,64}/g) ?? [];
  return `-----BEGIN PRIVATE KEY-----\n${lines.join('\n')}\n-----END PRIVATE KEY-----\n`;
}

function readKey(pem: string): Promise<CryptoKey> {
  const bytes = Buffer.from(pem.replaceAll(/-----[^-]+-----|\s/g, ''), 'base64');
  return crypto.subtle.importKey('pkcs8', bytes, curve, false, ['sign']);
}

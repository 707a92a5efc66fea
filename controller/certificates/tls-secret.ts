import type { TlsState } from './rotation.ts';

/** Name of the Secret in the controller's own namespace. */
export const tlsSecretName = 'holdfast-controller-tls';

const certificatePattern = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----\n?/g;

/** The certificates of a PEM text, one by one. */
export const certificatesIn = (pem: string): string[] =>
  (pem.match(certificatePattern) ?? []).map((each) => `${each.trim()}\n`);

/** What stands in the Secret, as text; `tls.*` and `ca.crt` as cert-manager writes them. */
export const secretOfState = ({
  leaf,
  signer,
  next,
  authorities,
}: TlsState): Readonly<Record<string, string>> => ({
  'tls.crt': leaf.certificate,
  'tls.key': leaf.key,
  'ca.crt': authorities.join(''),
  'signer.crt': signer.certificate,
  'signer.key': signer.key,
  ...(next === undefined ? {} : { 'next.crt': next.certificate, 'next.key': next.key }),
});

/** Reads the Secret; parts that are missing are empty, and what is empty is made anew. */
export function stateOfSecret(data: Readonly<Record<string, string>>): TlsState {
  const pair = (name: string) => ({
    certificate: certificatesIn(data[`${name}.crt`] ?? '')[0] ?? '',
    key: data[`${name}.key`] ?? '',
  });
  const next = pair('next');
  return {
    leaf: pair('tls'),
    signer: pair('signer'),
    next: next.certificate === '' ? undefined : next,
    authorities: certificatesIn(data['ca.crt'] ?? ''),
  };
}

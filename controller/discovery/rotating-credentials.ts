import { createSecureContext } from 'node:tls';
import { experimental, type ServerCredentials } from '@grpc/grpc-js';

/** What the controller serves with, in PEM. */
export interface ServingCertificate {
  /** The certificate, and those between it and the authority. */
  readonly certificate: string;
  readonly key: string;
  /** What sidecars check it with from now on; sent to them. Undefined = they have that from elsewhere. */
  readonly authorities: string | undefined;
}

/** Where the certificate comes from; it may change at any time. */
export interface CertificateSource {
  readonly current: ServingCertificate;
  /** Calls back after each change until the result is called. */
  onChange(listener: () => void): () => void;
}

/**
 * Credentials of a server whose new connections get the newest certificate, while those that are open stay. One that cannot be used, because its key is
 * another's for example, is reported and the one before stays.
 */
export function rotatingCredentials(
  source: CertificateSource,
  onFault: (fault: unknown) => void,
): ServerCredentials {
  const stops = new Map<unknown, () => void>();
  const tell = (listener: experimental.IdentityCertificateUpdateListener): void => {
    const { certificate, key } = source.current;
    try {
      // grpc-js would refuse all connections.
      createSecureContext({ cert: certificate, key });
    } catch (fault) {
      onFault(fault);
      return;
    }
    listener({ certificate: Buffer.from(certificate), privateKey: Buffer.from(key) });
  };
  const provider: experimental.CertificateProvider = {
    addCaCertificateListener: () => undefined,
    removeCaCertificateListener: () => undefined,
    addIdentityCertificateListener: (listener) => {
      stops.set(
        listener,
        source.onChange(() => tell(listener)),
      );
      // Whoever asks looks only after it has asked.
      queueMicrotask(() => tell(listener));
    },
    removeIdentityCertificateListener: (listener) => {
      stops.get(listener)?.();
      stops.delete(listener);
    },
  };
  // Its first argument is the identity, whatever its declaration says; there are no certificates of clients.
  return experimental.createCertificateProviderServerCredentials(provider, null, false);
}

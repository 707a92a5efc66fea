import type { PostgresPolicy } from '../../crds/resilience-policy.ts';

/** Options for node:tls; undefined where nothing is encrypted. */
export interface TlsSettings {
  /** False: encrypted, but the server may be anybody. */
  readonly rejectUnauthorized: boolean;
  /** PEM; absent: the authorities that Node believes. */
  readonly ca?: string;
}

export type TlsMode = NonNullable<PostgresPolicy['tls']>['mode'];

export function tlsSettings(mode: TlsMode, ca: string | undefined): TlsSettings | undefined {
  switch (mode) {
    case 'Disable':
      return undefined;
    case 'Require':
      return { rejectUnauthorized: false };
    case 'VerifyFull':
      return ca === undefined ? { rejectUnauthorized: true } : { rejectUnauthorized: true, ca };
    default:
      return mode satisfies never;
  }
}

/** What a server of the controller shows, and whom its clients believe. */
export interface ServingTls {
  /** PEM. */
  readonly certificate: string;
  readonly key: string;
  /** PEM of all authorities to believe; undefined when they are public ones, or somebody else hands them out. */
  readonly authorities: string | undefined;
}

/** Where servers of the controller have their certificates from. */
export interface ServingCertificates {
  readonly current: ServingTls;
  /** Calls back after each change; the result stops that. */
  onChange(listener: (tls: ServingTls) => void): () => void;
  /** Looks now, not only when the next look is due. */
  check(): Promise<void>;
  close(): void;
}

/** The names under which the controller is reached. */
export const servingNames = (namespace: string, service = 'holdfast-controller'): string[] => [
  `${service}.${namespace}.svc`,
  `${service}.${namespace}.svc.cluster.local`,
];

/** The one value that is in force, and those who want to hear of the next. */
export function heldTls(first: ServingTls) {
  let current = first;
  const listeners = new Set<(tls: ServingTls) => void>();
  return {
    get current(): ServingTls {
      return current;
    },
    onChange: (listener: (tls: ServingTls) => void): (() => void) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    put: (tls: ServingTls): void => {
      const same =
        tls.certificate === current.certificate &&
        tls.key === current.key &&
        tls.authorities === current.authorities;
      if (same) return;
      current = tls;
      for (const listener of listeners) listener(tls);
    },
  };
}

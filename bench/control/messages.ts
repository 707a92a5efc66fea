import type { KeyedCertificate } from '../../controller/certificates/issue.ts';

/** To the process with the discovery server; each is answered once. */
export type ServerOrder =
  | { readonly do: 'start'; readonly tls: KeyedCertificate }
  /** Changes a policy of all, to a generation above 1; answered when the last of `sidecars` has acknowledged it. */
  | { readonly do: 'push'; readonly generation: number; readonly sidecars: number }
  /** What the process takes, heartbeats counted from the order before. */
  | { readonly do: 'measure' };

export interface PushTimes {
  /** From the change to the last acknowledgement. */
  readonly lastMs: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

export interface ServerUsage {
  readonly connected: number;
  readonly rssMb: number;
  /** User and system time since the process began, in µs. */
  readonly cpuUs: number;
  readonly heartbeats: number;
}

export interface ServerAnswers {
  readonly start: { readonly port: number };
  readonly push: PushTimes;
  readonly measure: ServerUsage;
}

/** To the process with the simulated sidecars. Answered when so many have their policies; it connects those that are missing. */
export interface SidecarsOrder {
  readonly port: number;
  /** PEM. */
  readonly authority: string;
  readonly sidecars: number;
}

/** The name that the server's certificate is for. */
export const serverName = 'holdfast-controller.holdfast-system.svc';

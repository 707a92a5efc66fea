import type { Grant as WireGrant } from '../../platform/gen/holdfast/control/v1/Grant.ts';
import type { Heartbeat__Output } from '../../platform/gen/holdfast/control/v1/Heartbeat.ts';
import type { ServerLimits } from './hard-limit.ts';
import type { Grant, Heartbeat, Listing } from './share-messages.ts';

/** Who sent a heartbeat: its pod by its token, and its boot as it said Hello. */
export interface HeartbeatSender {
  readonly pod: { readonly namespace: string; readonly podName: string; readonly podUid: string };
  readonly boot: string;
}

/** More sessions than any server has. */
const mostSessions = 262_143;

/** Of IPv6 with an IPv4 in it. */
const longestAddress = 45;

/** A heartbeat as the books take it; undefined = no sidecar would say so. `podIp` stands in while it does not know how the server sees it. */
export function heartbeatOf(
  { pod, boot }: HeartbeatSender,
  heartbeat: Heartbeat__Output,
  podIp: string | undefined,
): Heartbeat | undefined {
  const { share, demand, ports, leaving, listing, address } = heartbeat;
  const numbers = [boot, heartbeat.number, heartbeat.epoch, heartbeat.answered].map(Number);
  const [bootNumber = 0, number = 0, epoch = 0, answered = 0] = numbers;
  if (!numbers.every(Number.isSafeInteger) || ports.length > mostSessions) return undefined;
  if (!ports.every(isPort) || listing?.sessions.every(({ port }) => isPort(port)) === false) {
    return undefined;
  }
  return {
    pod: pod.podUid,
    address: address === '' || address.length > longestAddress ? (podIp ?? '') : address,
    boot: bootNumber,
    number,
    epoch,
    answered,
    share: Math.min(share, mostSessions),
    demand: Math.min(demand, mostSessions),
    ports,
    leaving,
    listing: listing === null ? undefined : listingOf(listing),
  };
}

const isPort = (port: number): boolean => port > 0 && port < 65_536;

const listingOf = ({ asked, sessions }: NonNullable<Heartbeat__Output['listing']>): Listing => ({
  asked: Number(asked),
  // Microseconds since 1970 are exact in a double.
  rows: sessions.map(({ address, port, startedUs }) => {
    return { address, port, startedAtMs: Number(startedUs) / 1_000 };
  }),
});

/** The limits that the server told with a listing. */
export const limitsOf = ({ listing }: Heartbeat__Output): ServerLimits | undefined =>
  listing === null
    ? undefined
    : {
        role: listing.roleLimit,
        database: listing.databaseLimit,
        server: listing.serverLimit,
      };

/** A grant of the books as it is sent. */
export const grantOf = (budget: string, grant: Grant): WireGrant => ({
  budget,
  boot: grant.boot,
  epoch: grant.epoch,
  answers: grant.answers,
  floor: grant.floor,
  share: grant.share,
  leaseMs: grant.leaseMs,
  list: grant.list,
  terminate: grant.terminate.map(({ address, port, startedAtMs }) => {
    return { address, port, startedUs: Math.round(startedAtMs * 1_000) };
  }),
  gone: [...grant.gone],
});

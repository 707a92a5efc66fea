import type { Grant__Output } from '../../platform/gen/holdfast/control/v1/Grant.ts';
import type { Heartbeat as WireHeartbeat } from '../../platform/gen/holdfast/control/v1/Heartbeat.ts';
import type { Grant, Heartbeat } from './share-messages.ts';

/** What a heartbeat says beside what the share knows. */
export type BesideShare = Pick<
  WireHeartbeat,
  'budget' | 'address' | 'leaving' | 'listing' | 'waiting' | 'oldestWaitMs' | 'refusals'
>;

/** A heartbeat as it is sent. A listing has its own form there. */
export const wireHeartbeat = (
  { boot: _boot, listing: _listing, ports, ...heartbeat }: Heartbeat,
  beside: BesideShare,
): WireHeartbeat => ({ ...heartbeat, ports: [...ports], ...beside });

/** A grant as the share takes it. */
export const grantOf = ({ boot, epoch, answers, ...grant }: Grant__Output): Grant => ({
  boot: Number(boot),
  epoch: Number(epoch),
  answers: Number(answers),
  floor: grant.floor,
  share: grant.share,
  leaseMs: grant.leaseMs,
  gone: grant.gone,
});

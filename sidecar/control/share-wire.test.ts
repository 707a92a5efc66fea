import { expect, test } from 'vitest';
import type { Grant__Output } from '../../platform/gen/holdfast/control/v1/Grant.ts';
import type { Heartbeat__Output } from '../../platform/gen/holdfast/control/v1/Heartbeat.ts';
import type { SidecarMessage__Output } from '../../platform/gen/holdfast/control/v1/SidecarMessage.ts';
import { discoveryService } from '../../platform/grpc/contract.ts';
import { Share } from './share.ts';
import { grantOf, wireHeartbeat } from './share-wire.ts';

const { Connect } = discoveryService();
if (Connect === undefined) throw new Error('the proto has no Discovery.Connect');
const overTheWire = (heartbeat: object): Heartbeat__Output | null | undefined => {
  const bytes = Connect.requestSerialize({ heartbeat });
  return (Connect.requestDeserialize(bytes) as SidecarMessage__Output).heartbeat;
};

test('what a share says and what it is granted goes over the wire and back', () => {
  const share = new Share({
    boot: 1_800_000_000_000,
    floor: 2,
    now: () => 0,
    random: () => 0.5,
    driftRatio: 0.1,
    drainMs: 1_000,
    lateConnectMs: 60_000,
    refusalMs: 1_000,
  });
  share.connecting(4_711);
  const beside = { budget: 'orders', address: '10.0.0.7', waiting: 3, oldestWaitMs: 12 };
  const heard = overTheWire(wireHeartbeat(share.heartbeat(9), beside));
  expect(heard).toMatchObject({
    ...beside,
    number: '1',
    epoch: '0',
    answered: '0',
    share: 2,
    demand: 9,
    ports: [4_711],
    leaving: false,
    listing: null,
  });
  const grant: Grant__Output = {
    budget: 'orders',
    boot: '1800000000000',
    epoch: '7',
    answers: '1',
    floor: 2,
    share: 8,
    leaseMs: 10_000,
    list: false,
    terminate: [],
    gone: [],
  };
  expect(share.take(grantOf(grant))).toBe(true);
  expect(share.most).toBe(8);
});

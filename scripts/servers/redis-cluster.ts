import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { freePort } from './free-port.ts';
import { type RedisServer, startRedis } from './redis.ts';

export interface ClusterNode {
  readonly server: RedisServer;
  /** In the Cluster. */
  readonly id: string;
  /** Straight to this node. */
  readonly direct: Redis;
}

export interface ClusterServers {
  /** `redis+cluster://127.0.0.1:port,…`, the first two nodes. */
  readonly url: string;
  /** Masters, each with a third of the slots. */
  readonly nodes: readonly ClusterNode[];
  /** The node that has a slot just now. */
  ownerOf(slot: number): Promise<ClusterNode>;
  /** Opens the move of a slot: its keys may be at either node from now on. */
  beginMove(slot: number, to: ClusterNode): Promise<void>;
  /** Takes so many keys of a slot that is being moved to its new node. */
  moveKeys(slot: number, to: ClusterNode, count: number): Promise<void>;
  /** Gives the slot to its new node. */
  endMove(slot: number, to: ClusterNode): Promise<void>;
  stop(): Promise<void>;
}

const slots = 16_384;
const startTimeoutMs = 20_000;

/** Starts a Cluster of three masters on 127.0.0.1; resolves when it takes commands. */
export async function startCluster(): Promise<ClusterServers> {
  await using started = new AsyncDisposableStack();
  const nodes: ClusterNode[] = [];
  for (let number = 0; number < 3; number += 1) {
    const busPort = await freePort();
    const server = await startRedis({
      settings: {
        'cluster-enabled': 'yes',
        'cluster-port': String(busPort),
        'cluster-node-timeout': '2000',
      },
    });
    started.defer(() => server.stop());
    const direct = new Redis(server.url);
    started.defer(() => direct.disconnect());
    const id = (await direct.call('CLUSTER', 'MYID')) as string;
    const first = Math.floor((number * slots) / 3);
    const last = Math.floor(((number + 1) * slots) / 3) - 1;
    await direct.call('CLUSTER', 'ADDSLOTSRANGE', first, last);
    await direct.call('CLUSTER', 'SET-CONFIG-EPOCH', number + 1);
    const [known] = nodes;
    if (known !== undefined) {
      await known.direct.call('CLUSTER', 'MEET', '127.0.0.1', server.port, busPort);
    }
    nodes.push({ server, id, direct });
  }
  for (let waitedMs = 0; !(await agree(nodes)); waitedMs += 50) {
    if (waitedMs > startTimeoutMs) throw new Error('the nodes of the Cluster found no agreement');
    await sleep(50);
  }
  const running = started.move();

  const ownerOf = async (slot: number): Promise<ClusterNode> => {
    const ranges = (await nodes[0]?.direct.call('CLUSTER', 'SLOTS')) as [
      number,
      number,
      [string, number, string],
    ][];
    const range = ranges.find(([from, to]) => from <= slot && slot <= to);
    const owner = nodes.find(({ id }) => id === range?.[2][2]);
    if (owner === undefined) throw new Error(`nobody has slot ${slot}`);
    return owner;
  };
  return {
    url: `redis+cluster://${nodes
      .slice(0, 2)
      .map(({ server }) => `127.0.0.1:${server.port}`)
      .join(',')}`,
    nodes,
    ownerOf,
    beginMove: async (slot, to) => {
      const from = await ownerOf(slot);
      await to.direct.call('CLUSTER', 'SETSLOT', slot, 'IMPORTING', from.id);
      await from.direct.call('CLUSTER', 'SETSLOT', slot, 'MIGRATING', to.id);
    },
    moveKeys: async (slot, to, count) => {
      const from = await ownerOf(slot);
      const keys = (await from.direct.call('CLUSTER', 'GETKEYSINSLOT', slot, count)) as string[];
      if (keys.length === 0) return;
      await from.direct.call('MIGRATE', '127.0.0.1', to.server.port, '', 0, 5_000, 'KEYS', ...keys);
    },
    endMove: async (slot, to) => {
      for (const node of [to, ...nodes.filter((each) => each !== to)]) {
        await node.direct.call('CLUSTER', 'SETSLOT', slot, 'NODE', to.id);
      }
    },
    stop: () => running.disposeAsync(),
  };
}

async function agree(nodes: readonly ClusterNode[]): Promise<boolean> {
  const infos = await Promise.all(nodes.map(({ direct }) => direct.call('CLUSTER', 'INFO')));
  return infos.every(
    (info) =>
      String(info).includes('cluster_state:ok') && String(info).includes('cluster_known_nodes:3'),
  );
}

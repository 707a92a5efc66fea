import { hostAndPort, slotRanges, type SlotRange } from './cluster-map.ts';
import { slotCount } from './key-slot.ts';
import { Link, type LinkParts } from './link.ts';
import { PendingCommand } from './pending-command.ts';
import { RedisPool } from './redis-pool.ts';
import type { RedisOptions } from './redis-options.ts';
import type { Reply } from './reply.ts';

const clusterSlots = [Buffer.from('CLUSTER'), Buffer.from('SLOTS')];
const firstPauseMs = 50;
const longestPauseMs = 1_000;

interface TopologyParts extends LinkParts {
  readonly options: RedisOptions;
  /** Nodes that are asked while no other one is known. */
  readonly seeds: readonly { readonly host: string; readonly port: number }[];
}

/**
 * Who has which slots in a Cluster, and the connections to each master. It is looked at anew when a node says that a slot has moved, and again
 * and again while a connection is missing.
 */
export class ClusterTopology {
  readonly #parts: TopologyParts;
  readonly #nodes = new Map<string, RedisPool>();
  readonly #owners: (RedisPool | undefined)[] = Array.from({ length: slotCount });
  #scheduled = false;
  #pauseMs = firstPauseMs;
  #closed = false;

  constructor(parts: TopologyParts) {
    this.#parts = parts;
  }

  get nodes(): readonly RedisPool[] {
    return [...this.#nodes.values()];
  }

  /** The first look: resolves when it has ended, either way, and the first attempts to connect with it. */
  async open(): Promise<void> {
    await this.#look();
  }

  /** The master that has a slot; undefined while nobody is known to. */
  owner(slot: number): RedisPool | undefined {
    return this.#owners[slot];
  }

  /** A slot is elsewhere than it was thought to be. */
  moved(slot: number, node: RedisPool): void {
    this.#owners[slot] = node;
    this.#lookSoon();
  }

  /** The node at `host:port`, known or new. */
  at(address: string): RedisPool {
    return this.#nodes.get(address) ?? this.#add(address);
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all(this.nodes.map((node) => node.close()));
  }

  #add(address: string): RedisPool {
    const { options, clock, random, events } = this.#parts;
    const disconnected = (fault: string): void => {
      events.disconnected(fault);
      this.#lookSoon();
    };
    const node = new RedisPool(placed(options, hostAndPort(address)), {
      clock,
      random,
      events: { ...events, disconnected },
    });
    this.#nodes.set(address, node);
    void node.open();
    return node;
  }

  #lookSoon(): void {
    if (this.#scheduled || this.#closed) return;
    this.#scheduled = true;
    const delayMs = this.#pauseMs / 2 + (this.#parts.random() * this.#pauseMs) / 2;
    this.#parts.clock.after(delayMs, () => {
      this.#scheduled = false;
      void this.#look();
    });
  }

  async #look(): Promise<void> {
    if (this.#closed) return;
    const ranges = await this.#ask();
    if (ranges !== undefined && !this.#closed) await this.#apply(ranges);
    const complete = ranges !== undefined && this.nodes.every((node) => node.readyConnections > 0);
    this.#pauseMs = complete ? firstPauseMs : Math.min(longestPauseMs, this.#pauseMs * 2);
    if (!complete) this.#lookSoon();
  }

  /** Asks those that are connected, then the seeds, until one knows. */
  async #ask(): Promise<SlotRange[] | undefined> {
    for (const [address, node] of this.#nodes) {
      if (node.readyConnections === 0) continue;
      const ranges = await asked(
        (command) => node.send([command], 'shared'),
        hostAndPort(address).host,
      );
      if (ranges !== undefined) return ranges;
    }
    const { options, seeds, clock, random, events } = this.#parts;
    for (const seed of seeds) {
      if (this.#closed) return undefined;
      const link = new Link(placed(options, seed), { clock, random, events });
      await link.open();
      const ranges = link.ready
        ? await asked((command) => link.send(command), seed.host)
        : undefined;
      void link.close();
      if (ranges !== undefined) return ranges;
    }
    return undefined;
  }

  async #apply(ranges: readonly SlotRange[]): Promise<void> {
    const known = new Set(this.#nodes.values());
    const listed = new Set<RedisPool>();
    this.#owners.fill(undefined);
    for (const { first, last, address } of ranges) {
      const node = this.at(address);
      listed.add(node);
      this.#owners.fill(node, first, last + 1);
    }
    for (const [address, node] of this.#nodes) {
      if (listed.has(node)) continue;
      this.#nodes.delete(address);
      // What it still owes may come.
      this.#parts.clock.after(this.#parts.options.commandTimeoutMs, () => void node.close());
    }
    const nobody = { ended: undefined, onEnd: () => () => {} };
    const added = [...listed].filter((node) => !known.has(node));
    await Promise.all(added.map(async (node) => node.opening(nobody, 'shared')));
  }
}

/** The same Redis, at one node. */
const placed = (
  options: RedisOptions,
  node: { readonly host: string; readonly port: number },
): RedisOptions => ({
  ...options,
  connection: { ...options.connection, place: { kind: 'server', ...node } },
});

/** Undefined when the node does not answer, is no part of a Cluster, or knows no slots yet. */
async function asked(
  send: (command: PendingCommand) => void,
  host: string,
): Promise<SlotRange[] | undefined> {
  try {
    const reply = await new Promise<Reply>((resolve, reject) => {
      send(new PendingCommand(clusterSlots, true, { answered: resolve, failed: reject }, 0));
    });
    const ranges = slotRanges(reply, host);
    return ranges.length === 0 ? undefined : ranges;
  } catch {
    return undefined;
  }
}

import { HoldfastError } from '../../platform/errors.ts';
import { BlockingConnections } from './blocking-connections.ts';
import { redirectOf } from './cluster-map.ts';
import { ClusterTopology } from './cluster-topology.ts';
import { commandSlot } from './command-slot.ts';
import type { LinkParts } from './link.ts';
import { PendingCommand } from './pending-command.ts';
import type { Caller, Lane, LoneCommand, RedisBackend } from './redis-backend.ts';
import { redisUnavailable, replyError, tooManyInFlight } from './reply-errors.ts';
import type { RedisPool } from './redis-pool.ts';
import type { LinkOptions, RedisOptions } from './redis-options.ts';
import type { Reply } from './reply.ts';

/** A command that is sent from node to node more often than that is going in circles. */
const mostHops = 5;
const asking = [Buffer.from('ASKING')];
const nobody: Caller = { ended: undefined, onEnd: () => () => {} };

type Redirect = (message: string, command: PendingCommand) => boolean;

/**
 * A Redis Cluster: each command goes to the master that has its slot, on connections as for a single server. A node that answers MOVED or ASK
 * has not run the command, so it is sent to where it belongs.
 */
export class ClusterPool implements RedisBackend {
  readonly options: RedisOptions;
  readonly #topology: ClusterTopology;
  readonly #blocking: BlockingConnections;
  readonly #parts: LinkParts;
  readonly #redirects: Readonly<Record<Lane, Redirect>>;
  #opening: Promise<void> | undefined;

  constructor(
    options: RedisOptions,
    seeds: readonly { readonly host: string; readonly port: number }[],
    parts: LinkParts,
  ) {
    this.options = options;
    this.#parts = parts;
    this.#topology = new ClusterTopology({ ...parts, options, seeds });
    this.#blocking = new BlockingConnections(options.name, options.blockingConnections, parts);
    this.#redirects = {
      shared: (message, command) => this.#follow(message, command, 'shared'),
      scripts: (message, command) => this.#follow(message, command, 'scripts'),
    };
  }

  get name(): string {
    return this.options.name;
  }

  get readyConnections(): number {
    return this.#topology.nodes.reduce((sum, node) => sum + node.readyConnections, 0);
  }

  get wantedConnections(): number {
    return Math.max(1, this.#topology.nodes.length) * this.options.connections;
  }

  get inFlight(): number {
    return this.#topology.nodes.reduce((sum, node) => sum + node.inFlight, 0);
  }

  get blocked(): number {
    return this.#blocking.busy;
  }

  open(): Promise<void> {
    const opening = new Promise<void>((resolve) => {
      const stop = this.#parts.clock.after(this.options.commandTimeoutMs, resolve);
      void this.#topology.open().then(() => {
        stop();
        resolve();
      });
    });
    this.#opening = opening.finally(() => {
      this.#opening = undefined;
    });
    return this.#opening;
  }

  opening(caller: Caller): Promise<void> | undefined {
    const opening = this.#opening;
    if (opening === undefined) return undefined;
    return new Promise((resolve, reject) => {
      const off = caller.onEnd(reject);
      void opening.then(() => {
        off();
        resolve();
      });
    });
  }

  send(commands: readonly PendingCommand[], lane: Lane): void {
    this.#checkRoom(commands.length);
    const byNode = new Map<RedisPool, PendingCommand[]>();
    for (const command of commands) {
      command.redirect ??= this.#redirects[lane];
      const node = this.#nodeFor(command.words);
      if (node === undefined) {
        command.fail(this.#unavailable());
        continue;
      }
      const group = byNode.get(node);
      if (group === undefined) byNode.set(node, [command]);
      else group.push(command);
    }
    for (const [node, group] of byNode) {
      whenOpen(node, lane, group, () => node.send(group, lane));
    }
  }

  sendTogether(commands: readonly PendingCommand[], redirect?: string): void {
    this.#checkRoom(commands.length);
    const slots = new Set(commands.map(({ words }) => commandSlot(words)));
    slots.delete(undefined);
    if (slots.size > 1) {
      throw new HoldfastError(
        'invalid',
        'INVALID_REQUEST',
        `an atomic pipeline stays in one hash slot of the Cluster, and its keys are in ${slots.size}: give them a common part in braces, as in {user1}:name; nothing was sent`,
        { target: this.name },
      );
    }
    const goesTo = redirect === undefined ? undefined : this.#redirected(redirect);
    const [slot] = slots;
    const node =
      goesTo?.node ?? (slot === undefined ? this.#anyNode() : this.#topology.owner(slot));
    if (node === undefined) throw this.#unavailable();
    const all = goesTo?.asks === true ? [askingCommand(), ...commands] : commands;
    whenOpen(node, 'shared', commands, () => node.sendMoved(all, 'shared'));
  }

  async alone(make: () => LoneCommand, caller: Caller): Promise<Reply> {
    await this.opening(caller);
    let where: { node: RedisPool | undefined; asks: boolean } | undefined;
    for (let hops = 0; ; hops += 1) {
      const lone = make();
      if (commandSlot(lone.words) === undefined) {
        const name = String(lone.words[0]).toUpperCase();
        throw new HoldfastError(
          'invalid',
          'COMMAND_REFUSED',
          `${name} is refused: it has no key, and a Cluster has many nodes that it might mean`,
        );
      }
      const node = where?.node ?? this.#nodeFor(lone.words);
      if (node === undefined) throw this.#unavailable();
      const before = where?.asks === true ? { before: asking } : {};
      const attempt = await this.#blocking.run(node.options, { ...lone, ...before }, caller);
      if ('reply' in attempt) return attempt.reply;
      where = this.#redirected(attempt.redirect);
      if (where === undefined || hops === mostHops) throw replyError(attempt.redirect, this.name);
    }
  }

  /** Any master: messages reach all nodes of a Cluster. */
  subscriberPlace(): LinkOptions {
    const ready = this.#topology.nodes.filter(({ readyConnections }) => readyConnections > 0);
    const node = ready[Math.min(ready.length - 1, Math.floor(this.#parts.random() * ready.length))];
    if (node === undefined) throw this.#unavailable();
    return node.options;
  }

  async close(): Promise<void> {
    await Promise.all([this.#blocking.close(), this.#topology.close()]);
  }

  #checkRoom(count: number): void {
    const { inFlight } = this;
    if (inFlight + count > this.options.maxInFlight) throw tooManyInFlight(this.name, inFlight);
  }

  #nodeFor(words: readonly Buffer[]): RedisPool | undefined {
    const slot = commandSlot(words);
    return slot === undefined ? this.#anyNode() : this.#topology.owner(slot);
  }

  /** Always the same one, while it is there. */
  #anyNode(): RedisPool | undefined {
    const { nodes } = this.#topology;
    return nodes.find(({ readyConnections }) => readyConnections > 0) ?? nodes[0];
  }

  #follow(message: string, command: PendingCommand, lane: Lane): boolean {
    if (command.hops === mostHops) return false;
    const goesTo = this.#redirected(message);
    if (goesTo === undefined) return false;
    const { node, asks } = goesTo;
    command.detach();
    command.hops += 1;
    const all = asks ? [askingCommand(), command] : [command];
    whenOpen(node, lane, [command], () => node.sendMoved(all, lane));
    return true;
  }

  #redirected(message: string): { node: RedisPool; asks: boolean } | undefined {
    const redirect = redirectOf(message);
    if (redirect === undefined) return undefined;
    const { kind, slot, address } = redirect;
    const node = this.#topology.at(
      address.startsWith(':') ? this.#hostOf(slot) + address : address,
    );
    if (kind === 'MOVED') this.#topology.moved(slot, node);
    return { node, asks: kind === 'ASK' };
  }

  /** Of the node that had a slot so far. */
  #hostOf(slot: number): string {
    const place = this.#topology.owner(slot)?.options.connection.place;
    return place?.kind === 'server' ? place.host : 'localhost';
  }

  #unavailable(): HoldfastError {
    return redisUnavailable(this.name, 'CLUSTERDOWN', 500);
  }
}

/** Sends when a connection that is being made is there. What cannot be sent fails. */
function whenOpen(
  node: RedisPool,
  lane: Lane,
  commands: readonly PendingCommand[],
  send: () => void,
): void {
  const orFail = (): void => {
    try {
      send();
    } catch (thrown) {
      for (const command of commands) command.fail(HoldfastError.from(thrown));
    }
  };
  const opening = node.opening(nobody, lane);
  if (opening === undefined) orFail();
  else void opening.then(orFail);
}

const askingCommand = (): PendingCommand =>
  new PendingCommand(asking, true, { answered: () => {}, failed: () => {} }, 0);

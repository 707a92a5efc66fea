import type { Reply } from './reply.ts';

/** A range of hash slots, and the address of its master, `host:port`. */
export interface SlotRange {
  readonly first: number;
  readonly last: number;
  readonly address: string;
}

/** Reads the reply to CLUSTER SLOTS. A node that does not know its own host is the one that was asked, at `askedHost`. Throws on any other shape. */
export function slotRanges(reply: Reply, askedHost: string): SlotRange[] {
  return (reply as readonly (readonly Reply[])[]).map(([first, last, master]) => {
    const [host, port] = master as readonly Reply[];
    const name = host === null || host === undefined ? '' : String(host);
    const known = name === '' || name === '?' ? askedHost : name;
    return { first: Number(first), last: Number(last), address: `${known}:${String(port)}` };
  });
}

/** Where Redis says that a command belongs. */
export interface Redirect {
  /** MOVED: from now on. ASK: this once, since the slot is on its way. */
  readonly kind: 'MOVED' | 'ASK';
  readonly slot: number;
  /** `host:port`; without the host when it is that of the node which says so. */
  readonly address: string;
}

/** Reads `MOVED 3999 127.0.0.1:6381`; undefined for any other error. */
export function redirectOf(message: string): Redirect | undefined {
  const [, kind, slot, address = ''] = /^(MOVED|ASK) (\d{1,5}) (\S+)$/.exec(message) ?? [];
  if (kind !== 'MOVED' && kind !== 'ASK') return undefined;
  return { kind, slot: Number(slot), address: address.replace(/^\?/, '') };
}

/** Takes `host:port` apart; an IPv6 address has no brackets in it. */
export function hostAndPort(address: string): { readonly host: string; readonly port: number } {
  const colon = address.lastIndexOf(':');
  return { host: address.slice(0, colon), port: Number(address.slice(colon + 1)) };
}

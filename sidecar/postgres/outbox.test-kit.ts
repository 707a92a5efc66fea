import type { Client } from 'pg';
import type { OutboxEvent } from './outbox.ts';

/** An event as a subscriber gets it. */
export interface ReadEvent {
  readonly pos: number;
  readonly topic: string;
  readonly key: string;
  readonly seq: number;
  readonly payload: string;
}

export const event = (key: string, payload: string, topic = 't'): OutboxEvent => ({
  topic,
  key,
  payload: Buffer.from(payload),
});

/** Adds one event to whatever transaction the session is in. */
export const append = (client: Client, key: string, payload: string): Promise<unknown> =>
  client.query('select holdfast.outbox_append($1, $2, $3)', [['t'], [key], [Buffer.from(payload)]]);

/** One reader of the whole outbox, look by look. */
export class OutboxReader {
  readonly #client: Client;
  readonly #name: string;
  readonly events: ReadEvent[] = [];
  #epoch = '';
  #after = 0;

  constructor(client: Client, name: string) {
    this.#client = client;
    this.#name = name;
  }

  async begin(topics: readonly string[] | null = null): Promise<this> {
    const { rows } = await this.#client.query<{ epoch: string; cursor: string }>(
      'select * from holdfast.outbox_subscribe($1, $2, false)',
      [this.#name, topics],
    );
    this.#epoch = rows[0]?.epoch ?? '';
    this.#after = Number(rows[0]?.cursor);
    return this;
  }

  /** Returns the events of one look. */
  async look(mostRows = 100, mostBytes = 1_000_000): Promise<readonly ReadEvent[]> {
    const { rows } = await this.#client.query<Record<string, string | null>>(
      'select * from holdfast.outbox_read($1, $2, $3, $4, $5)',
      [this.#name, this.#epoch, this.#after, mostRows, mostBytes],
    );
    this.#after = Number(rows.at(-1)?.['pos']);
    const events = rows.slice(0, -1).map((row) => ({
      pos: Number(row['pos']),
      topic: row['topic'] ?? '',
      key: row['key'] ?? '',
      seq: Number(row['seq']),
      payload: Buffer.from(row['payload'] ?? '', 'base64').toString(),
    }));
    this.events.push(...events);
    return events;
  }

  async ack(cursor: number): Promise<string> {
    const { rows } = await this.#client.query<{ outcome: string }>(
      'select holdfast.outbox_ack($1, $2) as outcome',
      [this.#name, cursor],
    );
    return rows[0]?.outcome ?? '';
  }
}

/** What is wrong with what a reader got: `events` in order, of which `committed` are all payloads there should be. */
export function outboxFaults(
  events: readonly ReadEvent[],
  committed: readonly string[],
): readonly string[] {
  const faults: string[] = [];
  const got = events.map(({ payload }) => payload);
  for (const payload of committed) if (!got.includes(payload)) faults.push(`missed ${payload}`);
  for (const payload of got) {
    if (!committed.includes(payload)) faults.push(`${payload} was not committed`);
  }
  const bySeq = new Map<string, number>();
  let last = 0;
  for (const { pos, topic, key, seq, payload } of events) {
    if (pos <= last) faults.push(`${payload} comes after ${last}`);
    last = pos;
    const of = `${topic}/${key}`;
    if (seq !== (bySeq.get(of) ?? 0) + 1) faults.push(`${payload} of ${of} has seq ${seq}`);
    bySeq.set(of, seq);
  }
  return faults;
}

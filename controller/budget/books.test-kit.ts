import { Books } from './books.ts';
import { emptyLedger, succeed, type Ledger } from './ledger.ts';
import type { Grant, Heartbeat, SessionRow } from './share-messages.ts';

const options = {
  lateConnectMs: 60_000,
  listEveryMs: 5_000,
  listAgainMs: 1_000,
  forgetAfterMs: 60_000,
  mostPods: 100,
  isLeading: () => true,
};

/** Books of `total`, with a clock that tests move, and sidecars by name. */
export function controller(total: number, floor = 0, ledger: Ledger = succeed(emptyLedger)) {
  const terms = { total, reserve: 0, floor, ceiling: 100, leaseMs: 10_000 };
  const books = new Books(ledger, terms, { ...options, isLeading: () => leads.is }, 0);
  const leads = { is: true };
  const numbers = new Map<string, number>();
  const time = { nowMs: 0 };
  const beat = (pod: string, more: Partial<Heartbeat> = {}): Grant | undefined => {
    const key = `${pod} ${more.boot ?? 1}`;
    const number = more.number ?? (numbers.get(key) ?? 0) + 1;
    numbers.set(key, number);
    const about = { pod, address: `at-${pod}`, boot: 1, number, epoch: 0, answered: number - 1 };
    return books.answer({ ...about, share: 0, demand: 0, ports: [], ...more }, time.nowMs);
  };
  /** Lets time pass, and everything be written that is to be. */
  const pass = (ms: number): void => {
    time.nowMs += ms;
    books.tick(time.nowMs);
    const wanted = books.ledgerWanted();
    if (wanted !== undefined) books.ledgerStored(wanted, time.nowMs);
    books.tick(time.nowMs);
  };
  /** A sidecar that the ledger knows. */
  const join = (...pods: string[]): void => {
    for (const pod of pods) beat(pod, { demand: 1 });
    pass(1);
  };
  return { books, terms, leads, time, beat, pass, join };
}

export const ports = (count: number, from = 1): number[] =>
  Array.from({ length: count }, (_, at) => from + at);
export const rows = (pod: string, count: number, from = 1): SessionRow[] =>
  ports(count, from).map((port) => ({ address: `at-${pod}`, port, startedAtMs: port }));

/** `b` lists for everybody: it is asked with its heartbeat, and answers with the next. */
export function lists(
  beat: ReturnType<typeof controller>['beat'],
  others: readonly SessionRow[],
): void {
  const own = { share: 1, ports: [50], demand: 1 };
  const asked = beat('b', own);
  if (asked?.list !== true) throw new Error('no listing was asked for');
  const all = [...others, ...rows('b', 1, 50)];
  beat('b', { ...own, listing: { asked: asked?.answers ?? 0, rows: all } });
}

import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { systemClock } from '../../platform/clock.ts';
import { type FaultProxy, proxyTo } from '../../scripts/faults/fault-proxy.ts';
import { testDatabase, type TestDatabase } from '../../scripts/servers/test-database.ts';
import { listenerLocks, openNotificationSession } from './notification-session.ts';
import { Notifications } from './notifications.ts';

let database: TestDatabase;
let direct: pg.Client;
let proxy: FaultProxy;
let notifications: Notifications;
let failures = 0;

beforeAll(async () => {
  database = await testDatabase();
  proxy = await proxyTo(database.url);
  direct = new pg.Client(database.url);
  await direct.connect();
});

beforeEach(() => {
  const { hostname, username: user, password, pathname } = new URL(database.url);
  failures = 0;
  notifications = new Notifications({
    clock: systemClock,
    random: Math.random,
    probeMs: 200,
    onFailure: () => (failures += 1),
    open: () =>
      openNotificationSession({
        hosts: [{ host: hostname, port: proxy.port }],
        user,
        password,
        database: pathname.slice(1),
        tls: undefined,
        applicationName: 'listening',
        connectTimeoutMs: 500,
      }),
  });
});

afterEach(async () => {
  notifications.close();
  await vi.waitUntil(async () => (await sessions()) === 0);
});

afterAll(async () => {
  await direct.end();
  await proxy[Symbol.asyncDispose]();
  await database.drop();
});

const sessions = async (): Promise<number> => {
  const { rows } = await direct.query<{ n: number }>(
    `select count(*)::int as n from pg_stat_activity where application_name = 'listening' and datname = current_database()`,
  );
  return rows[0]?.n ?? -1;
};

class Heard {
  readonly all: string[] = [];
  readonly tickets: number[] = [];
  readonly stop: () => void;

  constructor(channel: string) {
    this.stop = notifications.listen(channel, {
      listening: (ticket) => {
        this.tickets.push(ticket);
        this.all.push('listening');
      },
      notified: (payload) => this.all.push(`> ${payload}`),
      lost: () => this.all.push('lost'),
    });
  }
}

/** Waits until it has heard so much. */
const until = (heard: Heard, ...expected: readonly string[]): Promise<void> =>
  expect.poll(() => heard.all, { timeout: 10_000, interval: 10 }).toEqual(expected);

const notify = (channel: string, payload: string): Promise<unknown> =>
  direct.query('select pg_notify($1, $2)', [channel, payload]);

test('each hears its channel, and one session is enough for all', async () => {
  const one = new Heard('one');
  const other = new Heard('one');
  const quoted = new Heard('two "2"');
  await Promise.all([one, other, quoted].map((each) => until(each, 'listening')));
  await notify('one', 'a');
  await notify('two "2"', 'b');
  await until(one, 'listening', '> a');
  await until(other, 'listening', '> a');
  await until(quoted, 'listening', '> b');
  expect(await sessions()).toBe(1);

  other.stop();
  const late = new Heard('three');
  await until(late, 'listening');
  await notify('one', 'c');
  await until(one, 'listening', '> a', '> c');
  expect(other.all).toEqual(['listening', '> a']);
});

test('a session that is lost is made again, and everybody is told of the gap', async () => {
  const one = new Heard('one');
  await until(one, 'listening');
  await direct.query(
    `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'listening'`,
  );
  await until(one, 'listening', 'lost', 'listening');
  await notify('one', 'a');
  await until(one, 'listening', 'lost', 'listening', '> a');
  expect(one.tickets[0]).not.toBe(one.tickets[1]);
});

test('its ticket can be taken by nobody else while it is there', async () => {
  const one = new Heard('one');
  await until(one, 'listening');
  const isFree = async (): Promise<boolean> => {
    const { rows } = await direct.query<{ free: boolean }>(
      'select pg_try_advisory_xact_lock_shared($1, $2) as free',
      [listenerLocks, one.tickets[0]],
    );
    return rows[0]?.free === true;
  };
  expect(await isFree()).toBe(false);
  one.stop();
  await expect.poll(isFree).toBe(true);
});

test('while the server cannot be reached it tries again and again, and then goes on', async () => {
  const one = new Heard('one');
  await until(one, 'listening');
  await proxy.shut();
  await until(one, 'listening', 'lost');
  await expect.poll(() => failures, { timeout: 10_000 }).toBeGreaterThan(2);
  await proxy.reopen();
  await until(one, 'listening', 'lost', 'listening');
});

test('a server that says nothing any more is left', async () => {
  const one = new Heard('one');
  await until(one, 'listening');
  await sleep(300);
  expect(one.all).toEqual(['listening']);
  proxy.stall();
  await until(one, 'listening', 'lost');
  proxy.cut();
  proxy.release();
  await until(one, 'listening', 'lost', 'listening');
});

test('with the last listener the session ends, with the next one it is made again', async () => {
  const one = new Heard('one');
  one.stop();
  const two = new Heard('two');
  await until(two, 'listening');
  two.stop();
  two.stop();
  await expect.poll(sessions).toBe(0);
  const three = new Heard('two');
  await until(three, 'listening');
  notifications.renew();
  await until(three, 'listening', 'lost', 'listening');
  expect([one.all, two.all]).toEqual([[], ['listening']]);
});

test('who leaves and joins again while others stay hears on', async () => {
  const stays = new Heard('one');
  await until(stays, 'listening');
  new Heard('two').stop();
  const again = new Heard('two');
  await until(again, 'listening');
  await notify('two', 'a');
  await until(again, 'listening', '> a');
  expect(stays.all).toEqual(['listening']);
});

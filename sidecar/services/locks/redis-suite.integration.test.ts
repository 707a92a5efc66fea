import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { afterAll, beforeAll } from 'vitest';
import { proxyTo } from '../../../scripts/faults/fault-proxy.ts';
import { type RedisServer, startRedis } from '../../../scripts/servers/redis.ts';
import { authoritySuite } from './authority-suite.test-kit.ts';
import { openAuthority } from './redis-authority.test-kit.ts';

let server: RedisServer;
let direct: Redis;
beforeAll(async () => {
  server = await startRedis();
  direct = new Redis(server.url);
});
afterAll(async () => {
  direct.disconnect();
  await server.stop();
});

authoritySuite({
  open: async () => {
    const proxy = await proxyTo(server.url);
    const { authority, forced, ...opened } = await openAuthority(proxy.through(server.url));
    return {
      authority,
      forced,
      die: () => proxy.shut(),
      [Symbol.asyncDispose]: async () => {
        // Releases that nobody has waited for.
        while (opened.redis.named('').inFlight > 0) await sleep(1);
        await opened[Symbol.asyncDispose]();
        await proxy[Symbol.asyncDispose]();
      },
    };
  },
  leftOf: async (prefix) => {
    const keys = await direct.keys('holdfast:lock:*');
    return keys.filter((key) => key.startsWith(`holdfast:lock:{${prefix}`)).length;
  },
});

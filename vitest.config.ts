import { defineConfig } from 'vitest/config';

const folders = '{platform,crds,sidecar,controller,clients,scripts,examples,bench,e2e,docs}';
const servers = ['scripts/servers/vitest-setup.ts'];
const notOurs = ['**/node_modules/**', '**/dist/**'];

export default defineConfig({
  test: {
    // Two cores, and every worker has servers to talk to.
    maxWorkers: 2,
    projects: [
      {
        test: {
          name: 'unit',
          include: [`${folders}/**/*.test.ts`],
          exclude: [...notOurs, '**/*.{integration,long,e2e}.test.ts'],
          // Properties take their hundred runs on a busy machine, too.
          testTimeout: 30_000,
        },
      },
      {
        test: {
          name: 'integration',
          include: [`${folders}/**/*.integration.test.ts`],
          exclude: notOurs,
          globalSetup: servers,
          // Some machines are three times slower at times.
          testTimeout: 90_000,
          hookTimeout: 90_000,
        },
      },
      {
        test: {
          name: 'long',
          include: [`${folders}/**/*.long.test.ts`],
          exclude: notOurs,
          globalSetup: servers,
          testTimeout: 300_000,
          hookTimeout: 60_000,
        },
      },
      {
        // `npm run e2e` brings up what they need.
        test: {
          name: 'e2e',
          include: ['e2e/**/*.e2e.test.ts'],
          exclude: notOurs,
          testTimeout: 180_000,
          hookTimeout: 300_000,
        },
      },
    ],
    coverage: {
      provider: 'v8',
      reportOnFailure: true,
      include: ['{platform,crds,sidecar,controller,clients}/**/*.ts'],
      exclude: [
        '**/gen/**',
        '**/main.ts',
        // Run as processes of their own only.
        '{platform,sidecar,controller}/program.ts',
        '**/*.test.ts',
        '**/*.test-kit.ts',
        '**/build.ts',
        '**/dist/**',
      ],
      // Only files with something left to cover.
      reporter: [['text', { skipFull: true }], 'json-summary', 'html'],
      thresholds: {
        lines: 85,
        branches: 80,
        // A connection or a transaction that leaks does so on the line that nobody ran.
        '{sidecar/postgres/pool*,sidecar/postgres/transaction*,sidecar/grpc/session*}.ts': {
          lines: 100,
        },
      },
    },
  },
});

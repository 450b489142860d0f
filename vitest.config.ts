import { defineConfig } from 'vitest/config';

/** Packages of ours resolve to their source: tests need no build. */
const conditions = ['warren-source', 'module', 'node', 'development'];

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: ['warren-source', 'node'] } },
  test: {
    include: ['packages/*/src/**/*.test.ts', 'test/**/*.test.ts'],
    // Real processes: many tests start sandboxes, and a worker thread could neither fork cheaply nor be killed alone.
    pool: 'forks',
    execArgv: ['--conditions=warren-source'],
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});

import { defineConfig } from 'vitest/config'

// Sources, not builds: tests need no `npm run build`, and cannot run on a stale one. Node itself is given these too, so
// `module` is not among them: some packages mean by it what only bundlers can load.
const conditions = ['@contractor/source', 'node', 'development|production']

export default defineConfig({
  resolve: { conditions },
  environments: {
    ssr: { resolve: { conditions, externalConditions: conditions } },
    __vitest__: { resolve: { conditions } },
  },
  test: {
    include: [
      'packages/*/src/**/*.test.ts',
      'packages/*/test/**/*.test.ts',
      // A plugin as it is written for new ones.
      'packages/server/template/test/**/*.test.ts',
      'packages/plugins/*/src/**/*.test.ts',
      'packages/plugins/*/test/**/*.test.ts',
      'test/**/*.test.ts',
      'examples/**/*.test.ts',
    ],
    exclude: ['**/*.real.test.ts', '**/node_modules/**', '**/dist/**'],
    globalSetup: ['test/global-setup.ts'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // Files of one worker share what they import: loading the engine anew for each took a third of the time. So what a test
    // needs is cleaned up by the test, and nothing is kept in a module but what any file may find there.
    isolate: false,
    // One more than the cores of a small machine: much of a test's time is waiting for a process or a database.
    maxWorkers: 3,
  },
})

import { defineConfig, mergeConfig } from 'vitest/config'
import base from './vitest.config.ts'

/** Tests with the real programs of a network: what each needs, it says itself, and skips by name where that is missing. */
export default mergeConfig(
  { ...base, test: { ...base.test, include: [], exclude: [] } },
  defineConfig({
    test: {
      include: [
        'packages/*/{src,test}/**/*.real.test.ts',
        'packages/plugins/*/{src,test}/**/*.real.test.ts',
        'test/**/*.real.test.ts',
      ],
      exclude: ['**/node_modules/**', '**/dist/**'],
    },
  }),
)
